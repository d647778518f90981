/*
 * A connection between a guest and a gateway, as both of them see it: one may be gone for
 * the other long before that one notices. What was said arrives in its order, or is lost
 * with the rest.
 */
#ifndef TESTS_SIM_RECOVERY_LINE_H
#define TESTS_SIM_RECOVERY_LINE_H

#include "proto/limits.h"
#include "proto/position.h"
#include "proto/recovery_proof.h"

enum {
    LINE_FRAMES = 16,
    LINE_ROOMS = 4,
};

enum line_word {
    LINE_HELLO, /* down */
    LINE_EVENT,
    LINE_PING,
    LINE_JOINED,
    LINE_LEFT,
    LINE_RESYNC,
    LINE_PONG, /* up */
    LINE_JOIN,
    LINE_LEAVE,
    LINE_BYE,
};

struct line_frame {
    enum line_word word;
    unsigned number; /* an event, or a room */
    struct position position;
    enum recovery_reason reason; /* of a hello */
    bool is_recovered;
    bool was_rebased; /* something was lost while it was opening */
};

struct line_queue {
    unsigned first, count;
    struct line_frame frames[LINE_FRAMES];
};

struct guest;
struct visit;

struct line {
    struct guest *guest; /* NULL: it hung up */
    struct visit *visit; /* NULL: the gateway did, or has not noticed that it is there */
    struct line_queue down, up;
    /* of whom the hello told */
    char sid[LIMIT_SIO_SID_BYTES + 1], pid[LIMIT_PID_BYTES + 1];
    unsigned rooms, stays[LINE_ROOMS];
};

/* False: it is full. */
bool line_put(struct line_queue *queue, const struct line_frame *frame);
/* False: it is empty. */
bool line_take(struct line_queue *queue, struct line_frame *frame);

#endif

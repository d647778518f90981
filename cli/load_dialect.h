/*
 * How a client of a load comes to listen: one row for each protocol. Events themselves
 * are the same in all of them, for their stamp is found wherever it stands. Text in, text
 * out; pure.
 */
#ifndef CLI_LOAD_DIALECT_H
#define CLI_LOAD_DIALECT_H

#include "proto/buf.h"
#include "proto/limits.h"

enum {
    LOAD_SEAT_ROOMS = 64,    /* that one client may join */
    LOAD_ROOM_BYTES = 11 + 1 /* "load:000007" and a terminator */
};

/* Rooms have names of one length, so that stamps stand at one place. */
void load_room_name(char out[LOAD_ROOM_BYTES], size_t room);

/* What a client needs to come back and go on where it was. */
struct load_recall {
    char id[LIMIT_PID_BYTES + 1];            /* of its session; empty: it has none */
    char position[LIMIT_POSITION_BYTES + 1]; /* of its last event; empty: none came */
    bool is_recovered;                       /* it went on, the last time it came */
};

/* Where a client sits: what it says, and which of all rooms it joins: `room_count` in a
 * row, and past the last one on from room 0. */
struct load_seat {
    const char *token; /* kept; NULL: none */
    size_t first_room, room_count, rooms_in_all;
    size_t joined;
    struct load_recall *recall; /* kept; NULL: it always begins anew */
};

/* Its i-th room, and the i of a room; room_count when it is not one of its rooms. */
size_t load_seat_room(const struct load_seat *seat, size_t i);
size_t load_seat_slot(const struct load_seat *seat, size_t room);

enum load_step {
    LOAD_STEP_MORE,   /* go on reading */
    LOAD_STEP_LIVE,   /* it listens to all its rooms now */
    LOAD_STEP_REFUSED /* the server said no, in the message itself */
};

/*
 * Both append what the client says next, each as one text message, by `say`. `take` is
 * given every text message without a stamp, also when the client listens already.
 */
typedef void load_say_fn(void *ctx, struct slice text);

struct load_dialect {
    const char *name;
    const char *target; /* of the upgrade, or of the handshake */
    bool polls;         /* by HTTP requests; no WebSocket */
    enum load_step (*open)(struct load_seat *seat, load_say_fn *say, void *ctx);
    enum load_step (*take)(struct load_seat *seat, struct slice text, load_say_fn *say,
                           void *ctx);
    /* An event has come to a seat with a recall. NULL: nobody goes on in it. */
    void (*note)(struct load_recall *recall, struct slice text);
};

/*
 * "native" (/ws), "ws" and "polling" (Socket.IO over WebSocket, or over polls) and "raw"
 * (a WebSocket at / whose server sends the events of its own accord). NULL: no such.
 */
const struct load_dialect *load_dialect_find(const char *name);

#endif

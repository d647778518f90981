/*
 * A gateway asks the log where the past of a few rooms begins, by time, and the log
 * answers what it chose (bridge/room_past.h). Layouts stand in past_wire.c; they share
 * the link of proto/bus_wire.h and tell themselves apart by their second byte. Decoders
 * lend from the bytes and check all of them, so that walking cannot fail.
 */
#ifndef PROTO_PAST_WIRE_H
#define PROTO_PAST_WIRE_H

#include "proto/buf.h"
#include "proto/limits.h"
#include "proto/position.h"
#include "proto/room_name.h"

struct past_request {
    struct position through; /* what came later is not the past */
    uint32_t total;          /* events together, at most LIMIT_PAST_EVENTS */
    bool oldest_first;       /* of too many, the oldest ones are given, else the newest */
    uint16_t room_count;     /* at least 1, at most LIMIT_REPLAY_ROOMS */
    struct slice rooms;      /* decode: walk with past_wish_next */
};

/* What is asked of one room: see struct past_room of bridge/room_past.h. */
struct past_wish {
    struct room_key room;
    uint32_t max;
    int64_t since_ms, asked_ms;
};

/* Begins a request; exactly `room_count` wishes follow by past_wish_add. Check
 * buf_status. */
void past_request_encode(const struct past_request *request, struct buf *out);
void past_wish_add(struct buf *out, const struct past_wish *wish);

enum status past_request_decode(struct slice bytes, struct past_request *request);
bool past_wish_next(struct slice *rooms, struct past_wish *wish);

struct past_answer {
    uint64_t epoch; /* of the log; of another than was asked for it says nothing */
    uint32_t count; /* of events that were chosen */
    uint16_t room_count;
    struct slice ranges; /* decode: walk with past_range_next */
};

/* Of one room: the events after `base` up to and including `top`. */
struct past_range {
    uint64_t base, top;
    bool is_cut; /* these are not all that were asked for */
};

/* Begins an answer; a range for each room follows, in the order of the request. */
void past_answer_encode(const struct past_answer *answer, struct buf *out);
void past_range_add(struct buf *out, const struct past_range *range);

enum status past_answer_decode(struct slice bytes, struct past_answer *answer);
bool past_range_next(struct slice *ranges, struct past_range *range);

#endif

/*
 * A gateway asks the log for the past of a few rooms by time, and the log answers with
 * one page of what it chose (bridge/room_past.h). Layouts stand in past_wire.c; they
 * share the link of proto/bus_wire.h and tell themselves apart by their second byte.
 * Decoders lend from the bytes and check all of them, so that walking cannot fail.
 */
#ifndef PROTO_PAST_WIRE_H
#define PROTO_PAST_WIRE_H

#include "proto/buf.h"
#include "proto/limits.h"
#include "proto/position.h"
#include "proto/room_name.h"

struct past_request {
    struct position after; /* of the page before; epoch 0: the first page */
    uint64_t through;      /* of the page before; UINT64_MAX: to the head */
    uint32_t max_bytes;    /* of the page; one event is always given */
    uint32_t total;        /* events of all pages together, at most LIMIT_PAST_EVENTS */
    bool oldest_first;     /* of too many, the oldest ones are given, else the newest */
    uint16_t room_count;   /* at least 1, at most LIMIT_REPLAY_ROOMS */
    struct slice rooms;    /* decode: walk with past_room_next */
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

struct past_page {
    uint64_t epoch;
    uint64_t end;       /* the pages go up to here */
    uint64_t through;   /* this one is complete up to here */
    struct slice cuts;  /* a byte for each room that was asked for: 1: it is cut short */
    uint32_t count;     /* of events */
    struct slice items; /* decode: walk with past_page_next */
};

/* The items first, into a buffer of their own; then the page with all of them. */
void past_page_add(struct buf *items, uint64_t seq, struct slice envelope);
void past_page_encode(const struct past_page *page, struct buf *out);

/* `room_count` is of the request. */
enum status past_page_decode(struct slice bytes, size_t room_count,
                             struct past_page *page);
bool past_page_next(struct slice *items, uint64_t *seq, struct slice *envelope);

#endif

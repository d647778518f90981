/*
 * What the processes say to each other about events: frames on the bus, and questions to
 * the log with their answers. Layouts stand in bus_wire.c; the first byte is a version.
 * Decoders lend from the bytes and check all of them, so that walking cannot fail.
 */
#ifndef PROTO_BUS_WIRE_H
#define PROTO_BUS_WIRE_H

#include "proto/position.h"
#include "proto/room_name.h"
#include "proto/stream_order.h"

#include "proto/buf.h"

/* --- a frame: consecutive events, or (count 0) the beacon that tells the head --- */

struct bus_frame {
    struct stream_span span;
    int64_t sent_us;     /* the publisher's monotonic clock */
    struct slice blocks; /* decode: walk with bus_frame_next */
};

enum {
    BUS_FRAME_HEAD_BYTES = 1 + 1 + 2 + 8 + 8 + 8,
    BUS_FRAME_EVENT_BYTES = 4, /* beside the envelope */
    BUS_FRAME_MAX_EVENTS = 65535,
};

/* Begins a frame; its events follow by bus_frame_add. Both check nothing: buf_status. */
void bus_frame_encode(const struct bus_frame *frame, struct buf *out);
void bus_frame_add(struct buf *out, struct slice envelope);

enum status bus_frame_decode(struct slice bytes, struct bus_frame *frame);
/* The next envelope. False at the end. */
bool bus_frame_next(struct slice *blocks, struct slice *envelope);

/* --- asking the log --- */

struct replay_request {
    struct position after; /* events after it … */
    uint64_t through;      /* … up to and including this seq, as far as one page goes */
    uint32_t max_bytes;    /* of the page; one event is always given; 0: see below */
    uint16_t room_count;   /* 0: every event */
    struct slice rooms;    /* decode: walk with replay_room_next */
};

/* Begins a request; exactly `room_count` rooms follow, each by replay_room_add and
 * replay_base_add. */
void replay_request_encode(const struct replay_request *request, struct buf *out);
void replay_room_add(struct buf *out, const struct room_key *room);
/* Of this room, what comes after the base is wanted; 0: all after `after`. */
void replay_base_add(struct buf *out, uint64_t base);

enum status replay_request_decode(struct slice bytes, struct replay_request *request);
bool replay_room_next(struct slice *rooms, struct room_key *room, uint64_t *base);

/*
 * One page. A request about another epoch is answered with no events and the log's own
 * epoch. Seqs that are not in the page up to `through` are volatile, expired, or of other
 * rooms.
 */
struct replay_page {
    struct position head;
    uint64_t floor;     /* highest seq of an event that retention removed, or more; of
                           the rooms that were asked for, when it is above their base */
    uint64_t through;   /* the page is complete up to here */
    uint32_t count;     /* of events */
    struct slice items; /* decode: walk with replay_page_next */
};

/* The head has a fixed size: encode it first, again once the numbers are known. */
enum {
    REPLAY_PAGE_HEAD_BYTES = 1 + 1 + 8 + 8 + 8 + 8 + 4,
};
void replay_page_encode(const struct replay_page *page, char out[REPLAY_PAGE_HEAD_BYTES]);
void replay_page_add(struct buf *out, uint64_t seq, struct slice envelope);

enum status replay_page_decode(struct slice bytes, struct replay_page *page);
bool replay_page_next(struct slice *items, uint64_t *seq, struct slice *envelope);

/*
 * A request for 0 bytes asks for the low-water marks of its rooms instead of events: the
 * page has one item, of seq 1, in which they stand in the order of the rooms.
 */
void replay_mark_add(struct buf *out, uint64_t mark);
/* False unless the page has exactly `count` marks. */
bool replay_page_marks(const struct replay_page *page, uint64_t *marks, size_t count);

#endif

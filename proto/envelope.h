/*
 * The envelope: one accepted event as the log keeps it and the bus carries it. The
 * position (epoch, seq) is not part of it: it follows from where the envelope stands.
 * `data` and `args` are the publisher's original bytes.
 *
 * Binary, little endian, no alignment; the layout is described in envelope.c and
 * versioned by its first byte.
 */
#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

#include "proto/buf.h"
#include "proto/limits.h"
#include "proto/room_name.h"

enum envelope_kind {
    ENVELOPE_EVENT,
    ENVELOPE_CONTROL_DISCONNECT, /* close every connection of the targets; `event` is the
                                    reason */
    ENVELOPE_PROBE, /* a gateway's own, to see whether it comes back: no client's */
};

enum envelope_flag {
    ENVELOPE_VOLATILE = 1, /* not kept in the log; takes a seq all the same */
    ENVELOPE_HISTORY = 2,  /* new members may get it */
    ENVELOPE_BINARY = 4,   /* data or args may hold `$binary` objects (proto/binary.h) */
};

/* One target of an event; its namespace is the envelope's. */
struct envelope_target {
    enum room_kind kind;
    struct slice name;
};

/*
 * All slices are borrowed: from the request when it is encoded, from the encoded bytes
 * after a decode. `targets` and `except` point to the caller's arrays.
 */
struct envelope {
    enum envelope_kind kind;
    unsigned flags;
    int64_t at_ms;       /* acceptance, wall clock UTC */
    int64_t accepted_us; /* acceptance, machine's monotonic clock: hop times of a trace */
    uint32_t ttl_ms;     /* 0: no end */
    struct slice id;     /* the caller's or a ULID */
    struct slice nsp;
    struct slice event;      /* the name, decoded (UTF-8) */
    struct slice event_json; /* the name as a JSON string, with quotes, as it came */
    struct slice data;       /* raw JSON value; empty: the event has no argument */
    struct slice args;       /* raw JSON array instead of data; empty: none */
    struct slice meta;       /* raw JSON object; empty: none */
    struct slice request_id;
    struct envelope_target *targets; /* at least one */
    size_t target_count;
    struct slice *except; /* sids */
    size_t except_count;
};

/* Where envelope_decode puts what has no fixed size; reused from event to event, nothing
 * is allocated. */
struct envelope_room {
    struct envelope_target targets[LIMIT_TARGETS];
    struct slice except[LIMIT_EXCEPT];
};

/*
 * Appends the encoding; check buf_status. A decode wants of every envelope a valid
 * namespace, an id and at least one target, of an event also `event` and `event_json`,
 * and not both of data and args.
 */
void envelope_encode(const struct envelope *envelope, struct buf *out);

/* Of an encoded envelope, without a look at the rest of it. */
bool envelope_is_volatile(struct slice bytes);

/* Lends from `bytes` and from `room`. ST_BAD_PACKET when it is not exactly one envelope
 * of this version. */
enum status envelope_decode(struct slice bytes, struct envelope_room *room,
                            struct envelope *envelope);

#endif

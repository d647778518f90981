/*
 * What a gateway tells and asks the directory, and the answers. A request is a batch:
 * its head, then operations that were encoded when they came up. Answers stand in the
 * order of the operations. Repeating a request does no harm: (gateway, incarnation,
 * number) names it. Decoders lend from the bytes and check all of them.
 */
#ifndef PROTO_DIRECTORY_WIRE_H
#define PROTO_DIRECTORY_WIRE_H

#include "proto/buf.h"

struct directory_request {
    struct slice gateway;
    uint64_t incarnation; /* of the gateway; a later start has a higher one */
    uint64_t number;      /* of the request: 1, 2, … */
    uint64_t meeting;     /* that it has heard of, by the last answer; 0: of none */
    uint32_t count;
    struct slice ops; /* decode: walk with directory_op_next */
};

enum directory_op_kind {
    DIRECTORY_LEASE,
    DIRECTORY_PUT,
    DIRECTORY_DROP,
    DIRECTORY_FIND,
    DIRECTORY_PUBLISH,
    DIRECTORY_SEEN,
    DIRECTORY_PARK,
    DIRECTORY_PROVE, /* of many sessions at once */
    DIRECTORY_LEAVE, /* the gateway stops: its sessions are parked */
    DIRECTORY_OP_COUNT
};

/* A session as the wire has it; `rooms` is walked by wire_named_next. */
struct wire_session {
    struct slice sid, pid, nsp, user;
    uint64_t generation;
    uint64_t epoch;
    uint64_t proven;
    uint16_t room_count;
    struct slice rooms;
};

/* A room and its joined_seq; a sid and what is proven of it; a sid and a generation. */
struct wire_named {
    struct slice name;
    uint64_t number;
};

struct directory_op {
    enum directory_op_kind kind;
    /* lease */
    uint32_t pid;
    bool is_ready;
    bool is_settled;       /* every session has been put since the gateway was met */
    struct slice counters; /* u64 each: wire_counter_next */
    /* put; drop: sid and generation; park: those, epoch and proven; find: pid; prove:
     * epoch; seen: nsp and user */
    struct wire_session session;
    /* prove */
    uint32_t proof_count;
    struct slice proofs; /* wire_named_next */
    /* publish */
    uint64_t serial; /* of the gateway's events: 1, 2, … in each incarnation */
    bool is_volatile;
    struct slice envelope;
};

void directory_request_encode(const struct directory_request *request, struct buf *out);
/* A lease with no counters yet: add each with wire_counter_add, `counters` of them. */
void directory_lease_encode(const struct directory_op *op, size_t counters,
                            struct buf *out);
void wire_counter_add(struct buf *out, uint64_t value);
/* A put: exactly `room_count` memberships follow. */
void directory_put_encode(const struct wire_session *session, struct buf *out);
void wire_named_add(struct buf *out, struct slice name, uint64_t number);
void directory_drop_encode(struct slice sid, uint64_t generation, struct buf *out);
/* Of the session: sid, generation, epoch, proven. */
void directory_park_encode(const struct wire_session *session, struct buf *out);
/* Exactly `count` proofs follow. */
void directory_prove_encode(uint64_t epoch, uint32_t count, struct buf *out);
void directory_leave_encode(struct buf *out);
void directory_find_encode(struct slice pid, struct buf *out);
void directory_seen_encode(struct slice nsp, struct slice user, struct buf *out);
void directory_publish_encode(uint64_t serial, bool is_volatile, struct slice envelope,
                              struct buf *out);

enum status directory_request_decode(struct slice bytes,
                                     struct directory_request *request);
bool directory_op_next(struct slice *ops, struct directory_op *op);
bool wire_named_next(struct slice *items, struct wire_named *item);
bool wire_counter_next(struct slice *counters, uint64_t *value);

enum directory_standing {
    STANDING_KNOWN,
    STANDING_NEW,    /* met: nothing of it is known from before; until it has heard so */
    STANDING_FENCED, /* a later start of this gateway is known: nothing was done */
    STANDING_FULL,   /* the directory knows as many gateways as it may: the same */
    STANDING_COUNT
};

struct directory_answer {
    uint64_t incarnation, number;
    uint64_t meeting; /* which one holds: no other has its number; 0: none does */
    enum directory_standing standing;
    uint32_t count;
    /* Sessions that were put by the gateway and live elsewhere by now, under a
     * generation of at least this. Told until the next request. */
    uint16_t moved_count;
    struct slice moved;   /* wire_named_next */
    struct slice results; /* decode: walk with directory_result_next */
};

enum directory_outcome {
    OUTCOME_OK,
    OUTCOME_NOT_FOUND,
    OUTCOME_FULL,
    OUTCOME_ELSEWHERE, /* of a put: the session lives at another gateway by now */
    /* Of a find: not everything is known yet, or the answer is full: ask again. */
    OUTCOME_LATER,
    OUTCOME_EXPIRED, /* of a find: its time was over; the session says whose it was */
    OUTCOME_COUNT
};

/* What a result carries beside its outcome. */
enum directory_result_kind {
    RESULT_PLAIN,
    RESULT_SESSION,  /* of a find */
    RESULT_POSITION, /* of a publish */
    RESULT_SEEN,     /* of a question when a user was seen */
    RESULT_KIND_COUNT
};

struct directory_result {
    enum directory_outcome outcome;
    enum directory_result_kind kind;
    uint64_t epoch, seq; /* where it is kept; 0: earlier, nobody knows where any more */
    struct slice gateway;
    struct wire_session session;
    int64_t seen_ms; /* wall clock; 0: nobody knows */
};

/* Exactly `moved_count` follow, before the results. */
void directory_answer_encode(const struct directory_answer *answer, struct buf *out);
/* One result; a session's memberships follow by wire_named_add. */
void directory_result_encode(const struct directory_result *result, struct buf *out);
/* Writes the result with a position that begins at `at` once more: it is known now. */
void directory_result_settle(struct buf *out, size_t at,
                             const struct directory_result *result);

enum status directory_answer_decode(struct slice bytes, struct directory_answer *answer);
bool directory_result_next(struct slice *results, struct directory_result *result);

/* --- a session as it is kept for the next start --- */

struct directory_record {
    struct slice gateway; /* where it lives, or lived last */
    bool is_parked;
    struct wire_session session;
};

/* Exactly `room_count` memberships follow. */
void directory_record_encode(const struct directory_record *record, struct buf *out);
enum status directory_record_decode(struct slice bytes, struct directory_record *record);

/* --- what a gateway has published, as it is kept for the next start --- */

struct directory_published {
    uint64_t incarnation;
    uint64_t last_serial;                 /* 0: nothing */
    uint64_t first_refused, last_refused; /* serials; 0: none */
};

void directory_published_encode(const struct directory_published *published,
                                struct buf *out);
enum status directory_published_decode(struct slice bytes,
                                       struct directory_published *published);

#endif

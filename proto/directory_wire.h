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
    DIRECTORY_OP_COUNT
};

/* A session as the wire has it; `rooms` is walked by wire_membership_next. */
struct wire_session {
    struct slice sid, pid, nsp, user;
    uint64_t generation;
    uint64_t epoch;
    uint16_t room_count;
    struct slice rooms;
};

struct wire_membership {
    struct slice name;
    uint64_t joined_seq;
};

struct directory_op {
    enum directory_op_kind kind;
    /* lease */
    uint32_t pid;
    bool is_ready;
    bool is_settled;       /* every session has been put since the gateway was met */
    struct slice counters; /* u64 each: wire_counter_next */
    /* put; drop: sid and generation; find: pid; seen: nsp and user */
    struct wire_session session;
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
void wire_membership_add(struct buf *out, const struct wire_membership *membership);
void directory_drop_encode(struct slice sid, uint64_t generation, struct buf *out);
void directory_find_encode(struct slice pid, struct buf *out);
void directory_seen_encode(struct slice nsp, struct slice user, struct buf *out);
void directory_publish_encode(uint64_t serial, bool is_volatile, struct slice envelope,
                              struct buf *out);

enum status directory_request_decode(struct slice bytes,
                                     struct directory_request *request);
bool directory_op_next(struct slice *ops, struct directory_op *op);
bool wire_membership_next(struct slice *rooms, struct wire_membership *membership);
bool wire_counter_next(struct slice *counters, uint64_t *value);

enum directory_standing {
    STANDING_KNOWN,
    STANDING_NEW,    /* met with this request: nothing of it was known before */
    STANDING_FENCED, /* a later start of this gateway is known: nothing was done */
    STANDING_FULL,   /* the directory knows as many gateways as it may: the same */
    STANDING_COUNT
};

struct directory_answer {
    uint64_t incarnation, number;
    enum directory_standing standing;
    uint32_t count;
    struct slice results; /* decode: walk with directory_result_next */
};

enum directory_outcome {
    OUTCOME_OK,
    OUTCOME_NOT_FOUND,
    OUTCOME_FULL,
    OUTCOME_ELSEWHERE, /* of a put: the session lives at another gateway by now */
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

void directory_answer_encode(const struct directory_answer *answer, struct buf *out);
/* One result; a session's memberships follow by wire_membership_add. */
void directory_result_encode(const struct directory_result *result, struct buf *out);
/* Writes the result with a position that begins at `at` once more: it is known now. */
void directory_result_settle(struct buf *out, size_t at,
                             const struct directory_result *result);

enum status directory_answer_decode(struct slice bytes, struct directory_answer *answer);
bool directory_result_next(struct slice *results, struct directory_result *result);

#endif

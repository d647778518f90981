/*
 * What retention has removed from the durable log, as it keeps it beside its events: how
 * far they are gone, and of each room the highest seq of it that is. Pure.
 */
#ifndef PROTO_LOG_MARKS_H
#define PROTO_LOG_MARKS_H

#include "proto/buf.h"
#include "proto/siphash.h"

struct log_marks {
    struct hash_key key; /* of the rooms' hashes */
    uint64_t through;    /* rows up to here are not the log's any more */
    uint64_t floor;      /* the last event of them */
    uint64_t folded;     /* no room's mark is below it */
    uint32_t count;
    struct slice rest; /* of a decoded one: the marks */
};

/* Without the marks: as many as `count` says are added after it. */
void log_marks_encode(const struct log_marks *marks, struct buf *out);
void log_mark_add(struct buf *out, uint64_t hash, uint64_t seq);

/* Lends from `bytes`. ST_OK: there are `count` marks in it and nothing else. */
enum status log_marks_decode(struct slice bytes, struct log_marks *marks);
/* Takes the next one; false: there are no more. */
bool log_marks_next(struct log_marks *marks, uint64_t *hash, uint64_t *seq);

#endif

/*
 * Which part of what came over the bus may be applied: the bus loses, repeats and is
 * restarted, and only the next seq of the same epoch is ever applied. A decision, no
 * state.
 */
#ifndef PROTO_STREAM_ORDER_H
#define PROTO_STREAM_ORDER_H

#include "proto/position.h"

#include <stddef.h>

/* Seqs first … first + count - 1. A beacon has count 0 and says which seq comes next. */
struct stream_span {
    uint64_t epoch;
    uint64_t first; /* ≥ 1 */
    size_t count;
};

enum stream_verdict {
    STREAM_APPLY, /* from `*skip` on, in order */
    STREAM_SKIP,  /* all of it is known; a beacon: nothing is missing */
    STREAM_GAP,   /* what comes before it is missing */
    STREAM_NEW_EPOCH,
};

/* `*skip` is how many leading seqs of the span were applied before. */
enum stream_verdict stream_order(const struct position *applied,
                                 const struct stream_span *span, size_t *skip);

#endif

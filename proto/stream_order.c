/* The sequence check: see the header. */
#include "proto/stream_order.h"

enum stream_verdict stream_order(const struct position *applied,
                                 const struct stream_span *span, size_t *skip)
{
    *skip = 0;
    if (span->epoch != applied->epoch)
        return STREAM_NEW_EPOCH;

    /* Both sides count from 1, so `first - 1` does not wrap. */
    uint64_t before = span->first - 1;
    if (before > applied->seq)
        return STREAM_GAP;

    uint64_t known = applied->seq - before;
    if (known >= span->count)
        return STREAM_SKIP;
    *skip = (size_t)known;
    return STREAM_APPLY;
}

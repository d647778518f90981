/*
 * A histogram of durations in fixed memory: linear within each power of two, so that a
 * percentile is at most 1/128 too high and never too low. Pure.
 */
#ifndef CLI_LOAD_HISTOGRAM_H
#define CLI_LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    LOAD_HISTOGRAM_STEPS = 128, /* in each power of two */
    LOAD_HISTOGRAM_POWERS = 30, /* beyond the first 128 values, which are exact */
    LOAD_HISTOGRAM_CELLS = LOAD_HISTOGRAM_STEPS * (LOAD_HISTOGRAM_POWERS + 1)
};

/* Zeroed: empty. Values are microseconds; those past 38 hours count as the largest. */
struct load_histogram {
    uint64_t count;
    uint64_t max;
    uint64_t cells[LOAD_HISTOGRAM_CELLS];
};

void load_histogram_add(struct load_histogram *histogram, uint64_t value);

/* The value that `per_mille` of all do not pass (500: the median); 0 when there are none.
 */
uint64_t load_histogram_at(const struct load_histogram *histogram, unsigned per_mille);
/* How many are below `value`, give or take one step. */
uint64_t load_histogram_below(const struct load_histogram *histogram, uint64_t value);

#endif

/*
 * What became of one sequence at one client: lost, doubled or out of order. Pure.
 */
#ifndef CLI_LOAD_TALLY_H
#define CLI_LOAD_TALLY_H

#include <stdint.h>

/* Zeroed: nothing has come, and 0 is expected. */
struct load_tally {
    uint64_t next;    /* one past the largest number that came */
    uint64_t seen;    /* bit i: next - 1 - i has come */
    uint64_t missing; /* below next, and not yet come */
};

enum load_arrival {
    LOAD_IN_ORDER, /* also after a gap */
    LOAD_DISORDERED,
    LOAD_DOUBLED
};

enum load_arrival load_tally_take(struct load_tally *tally, uint64_t seq);

/* How many of the first `sent` have not come. */
uint64_t load_tally_lost(const struct load_tally *tally, uint64_t sent);

#endif

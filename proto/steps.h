/*
 * A budget of steps: what work on a peer's bytes may cost in all. Who works takes from it
 * first; once it is spent, nothing can be taken any more, and the work is refused.
 */
#ifndef PROTO_STEPS_H
#define PROTO_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STEP_BYTES = 16
};

struct steps {
    uint64_t left; /* 0: spent */
};

/* Takes a step, and one more for each STEP_BYTES of `size` (bytes that are walked, rows
 * that are searched). False: all that was left is taken, and it is not enough. */
bool steps_take(struct steps *steps, size_t size);

#endif

/* A budget of steps: see the header. */
#include "proto/steps.h"

bool steps_take(struct steps *steps, size_t size)
{
    uint64_t cost = 1 + size / STEP_BYTES;

    if (steps->left <= cost) {
        steps->left = 0;
        return false;
    }
    steps->left -= cost;
    return true;
}

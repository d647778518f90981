/* Chains through a ring: see the header. */
#include "bridge/room_chains.h"

#include <stdlib.h>

void room_chains_finish(struct room_chains *chains)
{
    free(chains->back);
    chains->back = NULL;
    chains->capacity = 0;
}

bool room_chains_grow(struct room_chains *chains, size_t capacity, uint64_t first,
                      size_t count)
{
    uint32_t *back = calloc(capacity, sizeof *back);

    if (!back)
        return false;
    for (uint64_t number = first; number < first + count; number++)
        back[number & (capacity - 1)] = chains->back[number & (chains->capacity - 1)];
    free(chains->back);
    chains->back = back;
    chains->capacity = capacity;
    return true;
}

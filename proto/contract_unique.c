/* Items that are there twice: see the header. */
#include "proto/contract_unique.h"

#include "proto/json_equal.h"

#include <stdlib.h>

enum {
    FEW_PLACES = 32
};

struct place {
    uint64_t hash;
    struct slice item; /* without a pointer: nobody is here */
};

/* Is `item` there? If not, it is from now on. Somebody who sends items of one hash finds
 * the steps spent. */
static bool is_there(struct place *places, size_t mask, struct slice item,
                     struct steps *steps)
{
    uint64_t hash = json_equal_hash(item, steps);
    size_t at = hash & mask;

    for (; places[at].item.ptr; at = (at + 1) & mask) {
        if (!steps_take(steps, 0))
            return false;
        if (places[at].hash == hash && json_equal_values(places[at].item, item, steps))
            return true;
    }
    places[at] = (struct place){hash, item};
    return false;
}

static size_t find_repeat(struct slice array, size_t count, struct place *places,
                          size_t mask, struct steps *steps)
{
    struct json_cursor cursor = {0};
    struct json_value item;

    for (size_t i = 0; steps->left > 0 && json_array_next(array, &cursor, &item); i++)
        if (is_there(places, mask, item.text, steps))
            return i;
    return count;
}

enum status contract_unique_repeat(struct slice array, size_t count, struct steps *steps,
                                   size_t *repeat)
{
    struct place few[FEW_PLACES] = {0};
    struct place *places = few;
    size_t size = FEW_PLACES;

    /* Half of the places stay free: so a search ends, and soon. */
    while (size < 2 * count)
        size *= 2;
    *repeat = count;
    if (!steps_take(steps, array.len + size))
        return ST_OK;
    if (size > FEW_PLACES)
        places = calloc(size, sizeof *places);
    if (!places)
        return ST_NO_MEMORY;
    *repeat = find_repeat(array, count, places, size - 1, steps);
    if (places != few)
        free(places);
    return ST_OK;
}

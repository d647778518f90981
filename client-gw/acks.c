/* Acks that clients owe: see the header. */
#include "client-gw/acks.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 2
};

static void forget(struct acks *acks, size_t at)
{
    acks->count--;
    memmove(&acks->due[at], &acks->due[at + 1], (acks->count - at) * sizeof *acks->due);
}

static void forget_late(struct acks *acks, uint64_t now_ms)
{
    for (size_t i = acks->count; i-- > 0;)
        if (acks->due[i].until_ms <= now_ms)
            forget(acks, i);
}

static bool make_room(struct acks *acks, size_t max)
{
    if (acks->count < acks->cap)
        return true;
    size_t cap = acks->cap ? acks->cap * (size_t)2 : FIRST_ROOM;
    if (cap > max)
        cap = max;
    struct ack_due *grown = realloc(acks->due, cap * sizeof *grown);
    if (!grown)
        return false;
    acks->due = grown;
    acks->cap = (uint16_t)cap;
    return true;
}

void acks_ask(struct acks *acks, size_t max, const struct ack_due *asked, uint64_t now_ms)
{
    forget_late(acks, now_ms);
    while (acks->count >= max)
        forget(acks, 0);
    if (make_room(acks, max))
        acks->due[acks->count++] = *asked;
}

bool acks_answer(struct acks *acks, uint64_t id, uint64_t now_ms)
{
    forget_late(acks, now_ms);
    for (size_t i = 0; i < acks->count; i++)
        if (acks->due[i].id == id) {
            forget(acks, i);
            return true;
        }
    return false;
}

void acks_finish(struct acks *acks)
{
    free(acks->due);
    *acks = (struct acks){0};
}

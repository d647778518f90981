/* Sequences: see the header. */
#include "cli/load_tally.h"

enum {
    WINDOW = 64
};

static enum load_arrival take_late(struct load_tally *tally, uint64_t seq)
{
    uint64_t age = tally->next - 1 - seq;

    if (age < WINDOW && (tally->seen >> age & 1))
        return LOAD_DOUBLED;
    /* Too old to tell, unless nothing is missing: then it can only be a second one. */
    if (tally->missing == 0)
        return LOAD_DOUBLED;
    if (age < WINDOW)
        tally->seen |= 1ULL << age;
    tally->missing--;
    return LOAD_DISORDERED;
}

enum load_arrival load_tally_take(struct load_tally *tally, uint64_t seq)
{
    if (seq < tally->next)
        return take_late(tally, seq);

    uint64_t gap = seq - tally->next;
    tally->seen = gap + 1 < WINDOW ? tally->seen << (gap + 1) | 1 : 1;
    tally->missing += gap;
    tally->next = seq + 1;
    return LOAD_IN_ORDER;
}

uint64_t load_tally_lost(const struct load_tally *tally, uint64_t sent)
{
    return tally->missing + (sent > tally->next ? sent - tally->next : 0);
}

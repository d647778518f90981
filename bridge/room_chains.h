/*
 * Chains through a ring of entries: each knows the one before it whose room has a hash
 * like its own. Entries have numbers from 1 on, which rise by one. Chains are shared by
 * rooms, so each entry is to be looked at. Not thread-safe.
 */
#ifndef BRIDGE_ROOM_CHAINS_H
#define BRIDGE_ROOM_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROOM_CHAINS = 4096, /* a power of two */
};

/* Start zeroed; room_chains_finish. */
struct room_chains {
    uint64_t heads[ROOM_CHAINS]; /* the youngest of each; 0: there was none */
    uint32_t *back;              /* a ring: how far it is; 0: there is none */
    size_t capacity;             /* a power of two */
};

void room_chains_finish(struct room_chains *chains);

/* Makes the ring longer; keeps the `count` entries from `first` on. False: out of memory,
 * and nothing has changed. */
bool room_chains_grow(struct room_chains *chains, size_t capacity, uint64_t first,
                      size_t count);

static inline void room_chains_add(struct room_chains *chains, uint64_t number,
                                   uint64_t hash)
{
    uint64_t *head = &chains->heads[hash % ROOM_CHAINS];
    uint64_t apart = *head > 0 ? number - *head : 0;

    /* What is so far away has left the ring. */
    chains->back[number & (chains->capacity - 1)] =
        apart < chains->capacity ? (uint32_t)apart : 0;
    *head = number;
}

/* 0, or a number that may have left the ring: there are none then. */
static inline uint64_t room_chains_last(const struct room_chains *chains, uint64_t hash)
{
    return chains->heads[hash % ROOM_CHAINS];
}

/* The same, before an entry that is in the ring. */
static inline uint64_t room_chains_before(const struct room_chains *chains,
                                          uint64_t number)
{
    uint32_t apart = chains->back[number & (chains->capacity - 1)];

    return apart > 0 ? number - apart : 0;
}

#endif

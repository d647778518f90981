/*
 * Envelopes that were decoded lately, by seq: a crowd that returns reads the same events,
 * and each is opened once. What has not been asked for costs nothing. Bounded: a later
 * seq takes the place of an earlier one. One thread.
 */
#ifndef BRIDGE_ENVELOPE_CACHE_H
#define BRIDGE_ENVELOPE_CACHE_H

#include "proto/envelope.h"

enum {
    ENVELOPE_CACHE_PLACES = 4096, /* a power of two */
};

struct envelope_cache;

/* Gives an empty one (envelope_cache_destroy), or NULL. */
struct envelope_cache *envelope_cache_create(void);
/* Accepts NULL. */
void envelope_cache_destroy(struct envelope_cache *cache);
/* Seqs mean other events from now on. */
void envelope_cache_clear(struct envelope_cache *cache);

/*
 * What the bytes of event `seq` say; lent until the next call. Keeps `bytes`: they are to
 * stay as they are for as long as they are asked for. NULL: they are no envelope.
 */
const struct envelope *envelope_cache_open(struct envelope_cache *cache, uint64_t seq,
                                           struct slice bytes);

#endif

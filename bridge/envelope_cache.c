/* Envelopes that were decoded lately: see the header. */
#include "bridge/envelope_cache.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEPT_NAMES = 16, /* one with more targets or exceptions is opened each time */
};

/* One block: behind it its targets, then its exceptions. */
struct opened {
    uint64_t seq;
    struct slice bytes; /* keeps */
    struct envelope envelope;
    struct envelope_target targets[];
};

struct envelope_cache {
    struct envelope_room room;
    struct envelope decoded; /* one that is not kept */
    struct opened *places[ENVELOPE_CACHE_PLACES];
};

struct envelope_cache *envelope_cache_create(void)
{
    return calloc(1, sizeof(struct envelope_cache));
}

void envelope_cache_clear(struct envelope_cache *cache)
{
    for (size_t i = 0; i < ENVELOPE_CACHE_PLACES; i++) {
        free(cache->places[i]);
        cache->places[i] = NULL;
    }
}

void envelope_cache_destroy(struct envelope_cache *cache)
{
    if (!cache)
        return;
    envelope_cache_clear(cache);
    free(cache);
}

/* NULL: it is too large, or there is no memory. */
static struct opened *keep(uint64_t seq, struct slice bytes,
                           const struct envelope *envelope)
{
    size_t targets = envelope->target_count * sizeof *envelope->targets;
    size_t except = envelope->except_count * sizeof *envelope->except;
    bool is_large =
        envelope->target_count > KEPT_NAMES || envelope->except_count > KEPT_NAMES;
    struct opened *opened = is_large ? NULL : malloc(sizeof *opened + targets + except);

    if (!opened)
        return NULL;
    opened->seq = seq;
    opened->bytes = bytes;
    opened->envelope = *envelope;
    opened->envelope.targets = memcpy(opened->targets, envelope->targets, targets);
    opened->envelope.except = (struct slice *)(opened->targets + envelope->target_count);
    memcpy(opened->envelope.except, envelope->except, except);
    return opened;
}

const struct envelope *envelope_cache_open(struct envelope_cache *cache, uint64_t seq,
                                           struct slice bytes)
{
    struct opened **place = &cache->places[seq % ENVELOPE_CACHE_PLACES];
    struct opened *opened = *place;

    if (opened && opened->seq == seq && opened->bytes.ptr == bytes.ptr)
        return &opened->envelope;
    if (envelope_decode(bytes, &cache->room, &cache->decoded))
        return NULL;
    opened = keep(seq, bytes, &cache->decoded);
    if (!opened)
        return &cache->decoded;
    free(*place);
    *place = opened;
    return &opened->envelope;
}

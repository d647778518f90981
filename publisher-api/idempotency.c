/*
 * The window of ids: see the header. Entries are numbered from 1 (0 is none) and live in
 * chunks that are never moved nor given back, so that a growing table costs no pause.
 * Each entry is in one bucket's chain, and in the list by age.
 */
#include "publisher-api/idempotency.h"

#include "bridge/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BITS = 12,
    CHUNK_ENTRIES = 1 << CHUNK_BITS,
    CHUNKS = IDEMPOTENCY_MAX_IDS / CHUNK_ENTRIES + 1,
    BODY_BYTES = 16, /* of the digest: more is not needed to tell two bodies apart */
    SWEEP_AT_ONCE = 16,
};

enum entry_state {
    ENTRY_FREE,
    ENTRY_IN_FLIGHT,
    ENTRY_KEPT
};

struct entry {
    uint64_t id[2];
    unsigned char body[BODY_BYTES];
    struct position position;
    uint64_t expires_ms;
    uint32_t recipients;
    uint32_t chain; /* the next of its bucket, or of the free ones */
    uint32_t older, newer;
    uint8_t state; /* enum entry_state */
    bool has_recipients, complete;
};

struct idempotency {
    struct idempotency_config config;
    struct hash_key keys[2];
    struct entry *chunks[CHUNKS];
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t made; /* entries that were ever used */
    uint32_t free;
    uint32_t oldest, newest;
    size_t count;
};

static struct entry *entry_at(const struct idempotency *table, uint32_t number)
{
    uint32_t i = number - 1;
    return &table->chunks[i >> CHUNK_BITS][i & (CHUNK_ENTRIES - 1)];
}

struct idempotency *idempotency_create(const struct idempotency_config *config)
{
    struct idempotency *table = calloc(1, sizeof *table);
    size_t buckets = 1;

    if (!table)
        return NULL;
    assert(config->max_ids > 0 && config->max_ids <= IDEMPOTENCY_MAX_IDS);
    while (buckets < config->max_ids)
        buckets *= 2;
    table->config = *config;
    table->keys[0] = random_hash_key();
    table->keys[1] = random_hash_key();
    table->bucket_mask = (uint32_t)buckets - 1;
    table->buckets = calloc(buckets, sizeof *table->buckets);
    if (!table->buckets) {
        idempotency_destroy(table);
        return NULL;
    }
    return table;
}

void idempotency_destroy(struct idempotency *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < CHUNKS; i++)
        free(table->chunks[i]);
    free(table->buckets);
    free(table);
}

size_t idempotency_count(const struct idempotency *table)
{
    return table->count;
}

/* A free entry's number, or 0 when out of memory. */
static uint32_t entry_take(struct idempotency *table)
{
    uint32_t number = table->free;

    if (number) {
        table->free = entry_at(table, number)->chain;
        return number;
    }
    struct entry **chunk = &table->chunks[table->made >> CHUNK_BITS];
    if (!*chunk)
        *chunk = calloc(CHUNK_ENTRIES, sizeof **chunk);
    return *chunk ? ++table->made : 0;
}

static void unchain(struct idempotency *table, uint32_t number)
{
    struct entry *entry = entry_at(table, number);
    uint32_t *at = &table->buckets[entry->id[0] & table->bucket_mask];

    while (*at != number)
        at = &entry_at(table, *at)->chain;
    *at = entry->chain;
}

static void entry_remove(struct idempotency *table, uint32_t number)
{
    struct entry *entry = entry_at(table, number);

    unchain(table, number);
    *(entry->older ? &entry_at(table, entry->older)->newer : &table->oldest) =
        entry->newer;
    *(entry->newer ? &entry_at(table, entry->newer)->older : &table->newest) =
        entry->older;
    entry->state = ENTRY_FREE;
    entry->chain = table->free;
    table->free = number;
    table->count--;
}

/* Ages are in order, since the window is one for all: the old end is looked at alone. */
static void sweep(struct idempotency *table, uint64_t now_ms)
{
    for (int i = 0; i < SWEEP_AT_ONCE && table->oldest; i++) {
        const struct entry *entry = entry_at(table, table->oldest);
        if (entry->state != ENTRY_KEPT || entry->expires_ms > now_ms)
            return;
        entry_remove(table, table->oldest);
    }
}

static enum status make_room(struct idempotency *table)
{
    if (table->count < table->config.max_ids)
        return ST_OK;
    if (entry_at(table, table->oldest)->state != ENTRY_KEPT)
        return ST_BUSY;
    entry_remove(table, table->oldest);
    metrics_add(table->config.metrics, METRIC_IDEMPOTENCY_EVICTED, 1);
    return ST_OK;
}

static uint32_t find(const struct idempotency *table, const uint64_t id[2])
{
    uint32_t number = table->buckets[id[0] & table->bucket_mask];

    while (number) {
        const struct entry *entry = entry_at(table, number);
        if (entry->id[0] == id[0] && entry->id[1] == id[1])
            return number;
        number = entry->chain;
    }
    return 0;
}

static enum status insert(struct idempotency *table, const struct entry *content,
                          uint32_t *ticket)
{
    enum status st = make_room(table);
    if (st)
        return st;
    uint32_t number = entry_take(table);
    if (!number)
        return ST_NO_MEMORY;

    struct entry *entry = entry_at(table, number);
    uint32_t *bucket = &table->buckets[content->id[0] & table->bucket_mask];
    *entry = *content;
    entry->chain = *bucket;
    entry->older = table->newest;
    entry->newer = 0;
    *bucket = number;
    *(table->newest ? &entry_at(table, table->newest)->newer : &table->oldest) = number;
    table->newest = number;
    table->count++;
    *ticket = number;
    return ST_OK;
}

enum status idempotency_begin(struct idempotency *table, struct slice id,
                              const unsigned char body[DIGEST_SHA256_BYTES],
                              uint64_t now_ms, uint32_t *ticket, bool *known,
                              struct idempotency_answer *first)
{
    struct entry content = {
        .id = {siphash(&table->keys[0], id), siphash(&table->keys[1], id)},
        .expires_ms = now_ms + table->config.window_ms,
        .state = ENTRY_IN_FLIGHT,
    };
    memcpy(content.body, body, BODY_BYTES);
    *known = false;
    sweep(table, now_ms);

    uint32_t number = find(table, content.id);
    if (!number)
        return insert(table, &content, ticket);

    const struct entry *entry = entry_at(table, number);
    if (entry->state == ENTRY_IN_FLIGHT)
        return ST_CONFLICT;
    if (entry->expires_ms <= now_ms) {
        entry_remove(table, number);
        return insert(table, &content, ticket);
    }
    if (memcmp(entry->body, body, BODY_BYTES) != 0)
        return ST_ID_REUSED;
    *known = true;
    *first = (struct idempotency_answer){.position = entry->position,
                                         .recipients = entry->recipients,
                                         .has_recipients = entry->has_recipients,
                                         .complete = entry->complete};
    return ST_OK;
}

void idempotency_keep(struct idempotency *table, uint32_t ticket,
                      const struct idempotency_answer *answer)
{
    struct entry *entry = entry_at(table, ticket);

    assert(entry->state == ENTRY_IN_FLIGHT);
    entry->position = answer->position;
    entry->recipients = answer->recipients;
    entry->has_recipients = answer->has_recipients;
    entry->complete = answer->complete;
    entry->state = ENTRY_KEPT;
}

void idempotency_forget(struct idempotency *table, uint32_t ticket)
{
    assert(entry_at(table, ticket)->state == ENTRY_IN_FLIGHT);
    entry_remove(table, ticket);
}

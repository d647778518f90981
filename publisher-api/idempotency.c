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
    SWEEP_AT_ONCE = 16,
};

enum entry_state {
    ENTRY_FREE,
    ENTRY_IN_FLIGHT,
    ENTRY_KEPT
};

struct entry {
    unsigned char id[LOG_KEY_ID_BYTES];
    unsigned char body[LOG_KEY_BODY_BYTES];
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
    struct hash_key hash_key; /* of the buckets: nobody can aim at one */
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
    table->hash_key = random_hash_key();
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

static uint32_t *bucket_of(const struct idempotency *table,
                           const unsigned char id[LOG_KEY_ID_BYTES])
{
    struct slice bytes = {(const char *)id, LOG_KEY_ID_BYTES};
    return &table->buckets[siphash(&table->hash_key, bytes) & table->bucket_mask];
}

static void unchain(struct idempotency *table, uint32_t number)
{
    struct entry *entry = entry_at(table, number);
    uint32_t *at = bucket_of(table, entry->id);

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

static uint32_t find(const struct idempotency *table,
                     const unsigned char id[LOG_KEY_ID_BYTES])
{
    uint32_t number = *bucket_of(table, id);

    while (number) {
        const struct entry *entry = entry_at(table, number);
        if (memcmp(entry->id, id, LOG_KEY_ID_BYTES) == 0)
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
    uint32_t *bucket = bucket_of(table, content->id);
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

static struct entry entry_of(const struct log_key *key, enum entry_state state,
                             uint64_t expires_ms)
{
    struct entry entry = {.expires_ms = expires_ms, .state = state};

    memcpy(entry.id, key->id, LOG_KEY_ID_BYTES);
    memcpy(entry.body, key->body, LOG_KEY_BODY_BYTES);
    return entry;
}

enum status idempotency_begin(struct idempotency *table, const struct log_key *key,
                              uint64_t now_ms, uint32_t *ticket, bool *known,
                              struct idempotency_answer *first)
{
    struct entry content =
        entry_of(key, ENTRY_IN_FLIGHT, now_ms + table->config.window_ms);

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
    if (memcmp(entry->body, key->body, LOG_KEY_BODY_BYTES) != 0)
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

void idempotency_restore(struct idempotency *table, const struct log_key *key,
                         const struct position *position, uint64_t age_ms,
                         uint64_t now_ms)
{
    const struct idempotency_answer answer = {
        .position = *position,
        .recipients = key->recipients,
        .has_recipients = key->has_recipients,
        .complete = key->complete,
    };
    uint32_t ticket;

    if (age_ms >= table->config.window_ms)
        return;
    uint64_t expires_ms = now_ms + table->config.window_ms - age_ms;
    struct entry content = entry_of(key, ENTRY_IN_FLIGHT, expires_ms);
    uint32_t known = find(table, key->id);
    if (known)
        entry_remove(table,
                     known); /* used again after its window: the later one counts */
    if (insert(table, &content, &ticket) == ST_OK)
        idempotency_keep(table, ticket, &answer);
}

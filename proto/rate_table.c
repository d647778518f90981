/* Rates of users and addresses: see the header. */
#include "proto/rate_table.h"

#include <stdlib.h>

/* The keyed hash stands for the name: nobody outside can make two of them meet. */
struct entry {
    uint64_t hash; /* 0: free */
    struct token_bucket bucket;
};

struct rate_table {
    struct hash_key key;
    struct entry *entries; /* NULL: nobody was counted yet */
};

struct rate_table *rate_table_create(const struct hash_key *key)
{
    struct rate_table *table = calloc(1, sizeof *table);

    if (table)
        table->key = *key;
    return table;
}

void rate_table_destroy(struct rate_table *table)
{
    if (!table)
        return;
    free(table->entries);
    free(table);
}

/* Another key for each rate, so that one who is under two of them is two. */
static uint64_t hash_of(const struct rate_table *table, size_t index, struct slice who)
{
    struct hash_key key = {table->key.k0 ^ index, table->key.k1};
    uint64_t hash = siphash(&key, who);

    return hash ? hash : 1;
}

static struct entry *entry_of(struct rate_table *table, uint64_t hash)
{
    size_t sets = RATE_TABLE_ENTRIES / RATE_TABLE_WAYS;
    struct entry *set = &table->entries[hash % sets * RATE_TABLE_WAYS];
    struct entry *oldest = set;

    for (size_t i = 0; i < RATE_TABLE_WAYS; i++) {
        if (set[i].hash == hash)
            return &set[i];
        if (set[i].bucket.seen_ms < oldest->bucket.seen_ms)
            oldest = &set[i];
    }
    *oldest = (struct entry){.hash = hash};
    return oldest;
}

bool rate_table_take(struct rate_table *table, size_t index, struct slice who,
                     const struct token_rate *rate, uint64_t now_ms)
{
    if (!table->entries)
        table->entries = calloc(RATE_TABLE_ENTRIES, sizeof *table->entries);
    if (!table->entries)
        return true;
    struct entry *entry = entry_of(table, hash_of(table, index, who));
    return token_bucket_take(&entry->bucket, rate, now_ms);
}

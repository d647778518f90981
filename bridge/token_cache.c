/* Verified tokens: see the header. */
#include "bridge/token_cache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct token_cache_key key;
    struct claims *claims; /* NULL: free */
    int64_t from_s, until_s;
    uint64_t used; /* the cache's count when it was last asked for */
};

struct token_cache {
    struct entry *entries; /* NULL: nothing was put yet */
    uint64_t uses;
};

struct token_cache *token_cache_create(void)
{
    return calloc(1, sizeof(struct token_cache));
}

void token_cache_destroy(struct token_cache *cache)
{
    if (!cache)
        return;
    token_cache_clear(cache);
    free(cache);
}

void token_cache_key(struct slice token, enum claims_use use, struct token_cache_key *key)
{
    digest_sha256(token, key->digest);
    key->use = use;
}

/* The entries that this token may be in: the digest is as good as random. */
static struct entry *ways(struct token_cache *cache, const struct token_cache_key *key)
{
    uint64_t hash;

    memcpy(&hash, key->digest, sizeof hash);
    hash %= TOKEN_CACHE_ENTRIES / TOKEN_CACHE_WAYS;
    return &cache->entries[hash * TOKEN_CACHE_WAYS];
}

static bool is_of(const struct entry *entry, const struct token_cache_key *key)
{
    return entry->claims && entry->key.use == key->use &&
           slice_equal_secret(
               (struct slice){(const char *)entry->key.digest, DIGEST_SHA256_BYTES},
               (struct slice){(const char *)key->digest, DIGEST_SHA256_BYTES});
}

static void entry_finish(struct entry *entry)
{
    claims_drop(entry->claims);
    *entry = (struct entry){0};
}

struct claims *token_cache_find(struct token_cache *cache,
                                const struct token_cache_key *key, int64_t now_s)
{
    if (!cache->entries)
        return NULL;
    struct entry *entry = ways(cache, key);
    for (size_t i = 0; i < TOKEN_CACHE_WAYS; i++, entry++) {
        if (!is_of(entry, key))
            continue;
        if (now_s >= entry->from_s && now_s < entry->until_s) {
            entry->used = ++cache->uses;
            return claims_share(entry->claims);
        }
        entry_finish(entry);
        return NULL;
    }
    return NULL;
}

void token_cache_put(struct token_cache *cache, const struct token_cache_key *key,
                     struct claims *claims, int64_t now_s, int64_t until_s)
{
    if (!cache->entries)
        cache->entries = calloc(TOKEN_CACHE_ENTRIES, sizeof *cache->entries);
    if (!cache->entries)
        return;

    struct entry *row = ways(cache, key), *oldest = row;
    for (size_t i = 1; i < TOKEN_CACHE_WAYS; i++)
        if (row[i].used < oldest->used)
            oldest = &row[i];
    entry_finish(oldest);
    *oldest = (struct entry){
        .key = *key,
        .claims = claims_share(claims),
        .from_s = now_s,
        .until_s = until_s,
        .used = ++cache->uses,
    };
}

void token_cache_clear(struct token_cache *cache)
{
    for (size_t i = 0; cache->entries && i < TOKEN_CACHE_ENTRIES; i++)
        claims_drop(cache->entries[i].claims);
    free(cache->entries);
    cache->entries = NULL;
}

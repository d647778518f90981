/* Key sets: see the header. */
#include "bridge/token_keys.h"

#include <stdlib.h>
#include <string.h>

struct token_keys {
    struct token_key **rows;
    size_t count;
    struct claims_rules rules;
    char *issuer, *audience; /* the texts of the rules */
    struct token_cache *cache;
    struct metrics *metrics; /* NULL: nobody counts */
    token_unknown_fn *on_unknown;
    void *unknown_ctx;
};

struct token_keys *token_keys_create(void)
{
    struct token_keys *keys = calloc(1, sizeof *keys);

    if (!keys)
        return NULL;
    keys->cache = token_cache_create();
    if (keys->cache)
        return keys;
    free(keys);
    return NULL;
}

static void content_finish(struct token_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        token_key_destroy(keys->rows[i]);
    free(keys->rows);
    free(keys->issuer);
    free(keys->audience);
}

void token_keys_destroy(struct token_keys *keys)
{
    if (!keys)
        return;
    content_finish(keys);
    token_cache_destroy(keys->cache);
    free(keys);
}

enum status token_keys_put(struct token_keys *keys, struct token_key *key)
{
    enum status st = ST_NO_MEMORY;
    struct token_key **rows = NULL;

    if (keys->count == TOKEN_KEYS_MAX)
        st = ST_LIMIT;
    else if (token_keys_find(keys, slice_of(token_key_kid(key))))
        st = ST_CONFLICT;
    else
        rows = realloc(keys->rows, (keys->count + 1) * sizeof *rows);
    if (!rows) {
        token_key_destroy(key);
        return st;
    }
    rows[keys->count++] = key;
    keys->rows = rows;
    return ST_OK;
}

enum status token_keys_add(struct token_keys *keys, enum token_alg alg, struct slice kid,
                           struct slice secret)
{
    struct token_key *key = NULL;
    const char *reason;
    enum status st = token_key_from_secret(alg, kid, secret, &key, &reason);

    return st ? st : token_keys_put(keys, key);
}

enum status token_keys_set_rules(struct token_keys *keys,
                                 const struct claims_rules *rules)
{
    char *issuer = slice_dup(rules->issuer);
    char *audience = slice_dup(rules->audience);

    if (!issuer || !audience) {
        free(issuer);
        free(audience);
        return ST_NO_MEMORY;
    }
    free(keys->issuer);
    free(keys->audience);
    const struct claims_rules before = keys->rules;
    keys->issuer = issuer;
    keys->audience = audience;
    keys->rules = *rules;
    keys->rules.needs_no_sub = before.needs_no_sub;
    keys->rules.issuer = slice_of(issuer);
    keys->rules.audience = slice_of(audience);
    token_cache_clear(keys->cache);
    return ST_OK;
}

void token_keys_need_no_sub(struct token_keys *keys, bool needs_no_sub)
{
    if (keys->rules.needs_no_sub == needs_no_sub)
        return;
    keys->rules.needs_no_sub = needs_no_sub;
    token_cache_clear(keys->cache);
}

void token_keys_set_leeway(struct token_keys *keys, int64_t leeway_s)
{
    keys->rules.leeway_s = leeway_s;
    token_cache_clear(keys->cache);
}

const struct claims_rules *token_keys_rules(const struct token_keys *keys)
{
    return &keys->rules;
}

void token_keys_count_in(struct token_keys *keys, struct metrics *metrics)
{
    keys->metrics = metrics;
}

struct metrics *token_keys_metrics(const struct token_keys *keys)
{
    return keys->metrics;
}

void token_keys_on_unknown(struct token_keys *keys, token_unknown_fn *on_unknown,
                           void *ctx)
{
    keys->on_unknown = on_unknown;
    keys->unknown_ctx = ctx;
}

void token_keys_tell_unknown(const struct token_keys *keys)
{
    if (keys->on_unknown)
        keys->on_unknown(keys->unknown_ctx);
}

void token_keys_replace(struct token_keys *keys, struct token_keys *fresh)
{
    struct token_cache *cache = keys->cache;
    const struct token_keys before = *keys;

    content_finish(keys);
    token_cache_destroy(fresh->cache);
    *keys = *fresh;
    keys->cache = cache;
    keys->metrics = before.metrics;
    keys->on_unknown = before.on_unknown;
    keys->unknown_ctx = before.unknown_ctx;
    keys->rules.needs_no_sub = before.rules.needs_no_sub;
    token_cache_clear(cache);
    free(fresh);
}

size_t token_keys_count(const struct token_keys *keys)
{
    return keys->count;
}

const struct token_key *token_keys_find(const struct token_keys *keys, struct slice kid)
{
    for (size_t i = 0; i < keys->count; i++)
        if (slice_is(kid, token_key_kid(keys->rows[i])))
            return keys->rows[i];
    return NULL;
}

const struct token_key *token_keys_first_secret(const struct token_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (token_key_secret(keys->rows[i]).len > 0)
            return keys->rows[i];
    return NULL;
}

struct token_cache *token_keys_cache(const struct token_keys *keys)
{
    return keys->cache;
}

/*
 * Verifying and minting: see the header. Of libjwt, minting alone is used: it would take
 * any algorithm that a header names, verify nothing when given no key, and read a wrong
 * `exp` as none.
 */
#include "bridge/token.h"

#include "bridge/token_header.h"

#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum refusal refuse(char hint[160], const char *sentence)
{
    snprintf(hint, 160, "%s", sentence);
    return REFUSAL_INVALID;
}

/* What the header asks for must be what the key record says. */
static enum refusal key_choose(const struct token_keys *keys,
                               const struct token_parts *parts,
                               const struct token_key **key, char hint[160])
{
    *key = token_keys_find(keys, parts->kid);
    if (!*key)
        token_keys_tell_unknown(keys);
    if (token_keys_count(keys) == 0)
        return refuse(hint, "this server has no key to check tokens with");
    if (!*key)
        return refuse(hint, parts->kid.len > 0
                                ? "the token's kid names no key of this server"
                                : "the token has no kid, and no key of this server is "
                                  "meant for that");
    const char *name = token_alg_row(token_key_alg(*key))->name;
    if (slice_is(parts->alg, name))
        return REFUSAL_NONE;
    snprintf(hint, 160, "the token's alg is not %s, the one that its key is for", name);
    return REFUSAL_INVALID;
}

static enum refusal verify(const struct token_keys *keys, struct slice token,
                           enum claims_use use, int64_t now_s, struct claims **claims,
                           char hint[160])
{
    struct token_parts parts;
    const struct token_key *key = NULL;
    enum refusal refusal = token_parts_read(token, &parts, hint);

    if (!refusal)
        refusal = key_choose(keys, &parts, &key, hint);
    if (refusal)
        return refusal;
    if (!token_key_signed(key, parts.signed_text, parts.signature))
        return refuse(hint, "the token's signature does not hold: another key, or the "
                            "token was changed");
    return claims_decode(parts.payload, use, now_s, token_keys_rules(keys), claims, hint);
}

static void count(const struct token_keys *keys, enum metric metric)
{
    struct metrics *metrics = token_keys_metrics(keys);

    if (metrics)
        metrics_add(metrics, metric, 1);
}

enum refusal token_verify(const struct token_keys *keys, struct slice token,
                          enum claims_use use, int64_t now_s, struct claims **claims,
                          char hint[160])
{
    struct token_cache *cache = token_keys_cache(keys);
    struct token_cache_key key;

    hint[0] = '\0';
    if (token.len == 0) {
        refuse(hint, "no token was given");
        return REFUSAL_MISSING;
    }
    if (token.len > LIMIT_TOKEN_BYTES)
        return refuse(hint, "the token is longer than 4 KiB");

    token_cache_key(token, use, &key);
    *claims = token_cache_find(cache, &key, now_s);
    count(keys, *claims ? METRIC_TOKEN_CACHE_HITS : METRIC_TOKEN_CACHE_MISSES);
    if (*claims)
        return REFUSAL_NONE;

    enum refusal refusal = verify(keys, token, use, now_s, claims, hint);
    if (!refusal)
        token_cache_put(cache, &key, *claims, now_s,
                        claims_expires_s(*claims) + token_keys_rules(keys)->leeway_s);
    return refusal;
}

static void add_text(json_t *claims, const char *name, struct slice text)
{
    if (text.len > 0)
        json_object_set_new(claims, name, json_stringn(text.ptr, text.len));
}

void token_address(const struct token_keys *keys, enum claims_use use, int64_t now_s,
                   int64_t ttl_s, json_t *claims)
{
    const struct claims_rules *rules = token_keys_rules(keys);

    if (rules->max_ttl_s > 0 && ttl_s > rules->max_ttl_s)
        ttl_s = rules->max_ttl_s;
    json_object_set_new(claims, "iat", json_integer(now_s));
    json_object_set_new(claims, "exp", json_integer(now_s + ttl_s));
    add_text(claims, "iss", rules->issuer);
    add_text(claims, "aud", claims_audience(use, rules));
}

static const jwt_alg_t library_algs[] = {
    [TOKEN_HS256] = JWT_ALG_HS256,
    [TOKEN_HS384] = JWT_ALG_HS384,
    [TOKEN_HS512] = JWT_ALG_HS512,
};

enum status token_mint(const struct token_keys *keys, struct slice kid,
                       const json_t *claims, struct buf *out)
{
    const struct token_key *key =
        kid.len > 0 ? token_keys_find(keys, kid) : token_keys_first_secret(keys);
    struct slice secret = key ? token_key_secret(key) : (struct slice){0};

    if (secret.len == 0)
        return ST_NOT_FOUND;

    enum status st = ST_NO_MEMORY;
    char *json = json_dumps(claims, JSON_COMPACT);
    char *text = NULL;
    jwt_t *jwt = NULL;

    if (!json || jwt_new(&jwt) || jwt_add_grants_json(jwt, json) ||
        (token_key_kid(key)[0] && jwt_add_header(jwt, "kid", token_key_kid(key))) ||
        jwt_set_alg(jwt, library_algs[token_key_alg(key)],
                    (const unsigned char *)secret.ptr, (int)secret.len))
        goto out;
    text = jwt_encode_str(jwt);
    if (!text)
        goto out;
    st = ST_TOO_LARGE;
    if (strlen(text) > LIMIT_TOKEN_BYTES)
        goto out;
    buf_add_text(out, text);
    st = buf_status(out);
out:
    if (jwt)
        jwt_free(jwt);
    free(text);
    free(json);
    return st;
}

/*
 * JWS compact tokens (RFC 7515) with HMAC. The library checks the signature and nothing
 * else: it would take any algorithm that the header names, verify nothing when given no
 * key, and read a wrong `exp` as none. So the header is read here first, the key record
 * says which algorithm it must name, and the claims go to proto/claims as bytes.
 */
#include "bridge/token.h"

#include "proto/ident.h"
#include "proto/json_gate.h"

#include <jwt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECRET_MIN_BYTES = 32,
    SECRET_MAX_BYTES = 4096,
    HEADER_MEMBERS = 16,
    DECODED_BYTES = LIMIT_TOKEN_BYTES * 3 / 4 + 3,
};

struct alg_row {
    const char *name;
    jwt_alg_t library;
    size_t signature_bytes;
};

static const struct alg_row algs[] = {
    [TOKEN_HS256] = {"HS256", JWT_ALG_HS256, 32},
    [TOKEN_HS384] = {"HS384", JWT_ALG_HS384, 48},
    [TOKEN_HS512] = {"HS512", JWT_ALG_HS512, 64},
};

/* One key and the one algorithm that it is good for. */
struct token_key {
    enum token_alg alg;
    char kid[LIMIT_KID_BYTES + 1];
    unsigned char *secret;
    size_t secret_len;
};

struct token_keys {
    struct token_key *rows;
    size_t count;
    int64_t leeway_s;
};

/* The three parts of a compact token, and what the header says that we act on. */
struct token_parts {
    struct slice header, payload, signature;
    struct slice alg, kid;
    bool has_kid;
};

struct token_keys *token_keys_create(void)
{
    return calloc(1, sizeof(struct token_keys));
}

void token_keys_destroy(struct token_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        OPENSSL_cleanse(keys->rows[i].secret, keys->rows[i].secret_len);
        free(keys->rows[i].secret);
    }
    free(keys->rows);
    free(keys);
}

void token_keys_set_leeway(struct token_keys *keys, int64_t leeway_s)
{
    keys->leeway_s = leeway_s;
}

static bool kid_is_valid(struct slice kid)
{
    if (kid.len == 0 || kid.len > LIMIT_KID_BYTES)
        return false;
    for (size_t i = 0; i < kid.len; i++) {
        char c = kid.ptr[i];
        bool is_alnum =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* An empty kid is the key for tokens without one. */
static const struct token_key *key_find(const struct token_keys *keys, struct slice kid)
{
    for (size_t i = 0; i < keys->count; i++)
        if (slice_is(kid, keys->rows[i].kid))
            return &keys->rows[i];
    return NULL;
}

enum status token_keys_add(struct token_keys *keys, enum token_alg alg, struct slice kid,
                           struct slice secret)
{
    /* The library takes a key of no bytes for "do not verify". */
    if (secret.len < SECRET_MIN_BYTES || secret.len > SECRET_MAX_BYTES)
        return ST_BAD_REQUEST;
    if (kid.len > 0 && !kid_is_valid(kid))
        return ST_BAD_REQUEST;
    if (key_find(keys, kid))
        return ST_CONFLICT;

    struct token_key *rows =
        realloc(keys->rows, (keys->count + 1) * sizeof(struct token_key));
    if (!rows)
        return ST_NO_MEMORY;
    keys->rows = rows;

    struct token_key *key = &rows[keys->count];
    *key = (struct token_key){.alg = alg, .secret_len = secret.len};
    key->secret = malloc(secret.len);
    if (!key->secret)
        return ST_NO_MEMORY;
    memcpy(key->secret, secret.ptr, secret.len);
    if (kid.len > 0)
        memcpy(key->kid, kid.ptr, kid.len);
    keys->count++;
    return ST_OK;
}

static enum refusal refuse(char hint[160], const char *sentence)
{
    snprintf(hint, 160, "%s", sentence);
    return REFUSAL_INVALID;
}

/* The value between the quotes of a plain string: no escapes, so raw is decoded. */
static bool plain_string(const struct json_value *value, struct slice *text)
{
    if (value->type != JSON_GATE_STRING || memchr(value->text.ptr, '\\', value->text.len))
        return false;
    *text = (struct slice){value->text.ptr + 1, value->text.len - 2};
    return true;
}

static enum refusal header_member(const struct json_member *member,
                                  struct token_parts *parts, char hint[160])
{
    /* "\u0063rit" is crit too: names are not to be hidden behind escapes. */
    if (memchr(member->key.ptr, '\\', member->key.len))
        return refuse(hint, "the token's header spells a name with escapes");
    if (slice_is(member->key, "crit") || slice_is(member->key, "b64"))
        return refuse(hint, "the token's header asks for an extension (crit, b64); none "
                            "is supported");
    if (slice_is(member->key, "alg") && !plain_string(&member->value, &parts->alg))
        return refuse(hint, "the token's header has an alg that is not a plain string");
    if (slice_is(member->key, "kid")) {
        if (!plain_string(&member->value, &parts->kid) || !kid_is_valid(parts->kid))
            return refuse(hint, "the token's kid is not 1 to 64 of [A-Za-z0-9._-]");
        parts->has_kid = true;
    }
    return REFUSAL_NONE;
}

/* Fills alg and kid; they are lent by `text`. */
static enum refusal header_read(struct slice text, struct token_parts *parts,
                                char hint[160])
{
    static const struct json_limits limits = {
        .depth = 4, .nodes = 64, .string_bytes = 1024, .number_bytes = 32};
    struct json_member members[HEADER_MEMBERS];
    size_t count = 0;

    if (json_gate_object(text, &limits, members, HEADER_MEMBERS, &count, NULL))
        return refuse(hint, "the token's header is not a small JSON object");
    for (size_t i = 0; i < count; i++) {
        enum refusal refusal = header_member(&members[i], parts, hint);
        if (refusal)
            return refusal;
    }
    if (parts->alg.len == 0)
        return refuse(hint, "the token's header names no alg");
    return REFUSAL_NONE;
}

/* Exactly three parts; RFC 7516's five are an encrypted token. */
static bool parts_split(struct slice token, struct token_parts *parts)
{
    struct slice rest = {0};

    if (!slice_cut(token, '.', &parts->header, &rest) ||
        !slice_cut(rest, '.', &parts->payload, &parts->signature))
        return false;
    return parts->header.len > 0 && parts->payload.len > 0 && parts->signature.len > 0 &&
           !memchr(parts->signature.ptr, '.', parts->signature.len);
}

/* What the header asks for must be what the key record says. */
static enum refusal key_choose(const struct token_keys *keys,
                               const struct token_parts *parts,
                               const struct token_key **key, char hint[160])
{
    *key = key_find(keys, parts->kid);
    if (keys->count == 0)
        return refuse(hint, "this server has no secret to check tokens with");
    if (!*key)
        return refuse(hint, parts->has_kid ? "the token's kid names no key of this server"
                                           : "the token has no kid, and no key of this "
                                             "server is meant for that");
    if (!slice_is(parts->alg, algs[(*key)->alg].name)) {
        snprintf(hint, 160, "the token's alg is not %s, the one that its key is for",
                 algs[(*key)->alg].name);
        return REFUSAL_INVALID;
    }
    return REFUSAL_NONE;
}

/* Borrows `token`; at most LIMIT_TOKEN_BYTES, no NUL inside. */
static bool signature_holds(const struct token_key *key, struct slice token)
{
    char text[LIMIT_TOKEN_BYTES + 1];
    jwt_t *jwt = NULL;

    memcpy(text, token.ptr, token.len);
    text[token.len] = '\0';
    bool holds = jwt_decode(&jwt, text, key->secret, (int)key->secret_len) == 0 &&
                 jwt_get_alg(jwt) == algs[key->alg].library;
    if (jwt)
        jwt_free(jwt);
    return holds;
}

enum refusal token_verify(const struct token_keys *keys, struct slice token,
                          enum claims_use use, int64_t now_s, struct claims **claims,
                          char hint[160])
{
    uint8_t header[DECODED_BYTES], payload[DECODED_BYTES], signature[DECODED_BYTES];
    size_t header_len = 0, payload_len = 0, signature_len = 0;
    struct token_parts parts = {0};
    const struct token_key *key = NULL;

    hint[0] = '\0';
    if (token.len == 0) {
        refuse(hint, "no token was given");
        return REFUSAL_MISSING;
    }
    if (token.len > LIMIT_TOKEN_BYTES)
        return refuse(hint, "the token is longer than 4 KiB");
    if (!parts_split(token, &parts))
        return refuse(hint, "the token does not have the three parts of a signed JWT");
    if (!ident_base64url_decode(parts.header, header, &header_len) ||
        !ident_base64url_decode(parts.payload, payload, &payload_len) ||
        !ident_base64url_decode(parts.signature, signature, &signature_len))
        return refuse(hint, "a part of the token is not base64url without padding");

    enum refusal refusal =
        header_read((struct slice){(char *)header, header_len}, &parts, hint);
    if (!refusal)
        refusal = key_choose(keys, &parts, &key, hint);
    if (refusal)
        return refusal;
    if (signature_len != algs[key->alg].signature_bytes || !signature_holds(key, token))
        return refuse(hint, "the token's signature does not hold: another secret, or the "
                            "token was changed");

    return claims_decode((struct slice){(char *)payload, payload_len}, use, now_s,
                         keys->leeway_s, claims, hint);
}

enum status token_mint(const struct token_keys *keys, struct slice kid,
                       const json_t *claims, struct buf *out)
{
    const struct token_key *key = key_find(keys, kid);
    if (!key)
        return ST_NOT_FOUND;

    enum status st = ST_NO_MEMORY;
    char *json = json_dumps(claims, JSON_COMPACT);
    char *text = NULL;
    jwt_t *jwt = NULL;

    if (!json || jwt_new(&jwt) || jwt_add_grants_json(jwt, json) ||
        (key->kid[0] && jwt_add_header(jwt, "kid", key->kid)) ||
        jwt_set_alg(jwt, algs[key->alg].library, key->secret, (int)key->secret_len))
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

/* JWKS: see the header. */
#include "bridge/token_jwks.h"

#include "proto/ident.h"
#include "proto/json_gate.h"

#include <jansson.h>
#include <string.h>

enum {
    NUMBER_BYTES = 4096 /* of one decoded member: a secret may be that long */
};

/* One `kty`, and the algorithm of a key that names none. */
struct kind {
    const char *kty, *crv; /* crv NULL: it has none */
    const char *default_alg;
    const char *members[2]; /* the numbers it is made of */
};

static const struct kind kinds[] = {
    {"RSA", NULL,      "RS256", {"n", "e"} },
    {"EC",  "P-256",   "ES256", {"x", "y"} },
    {"EC",  "P-384",   "ES384", {"x", "y"} },
    {"EC",  "P-521",   "ES512", {"x", "y"} },
    {"OKP", "Ed25519", "EdDSA", {"x", NULL}},
    {"oct", NULL,      NULL,    {"k", NULL}},
};

/* The numbers of one entry, decoded. */
struct numbers {
    struct slice slices[2];
    uint8_t bytes[2][NUMBER_BYTES];
};

/* Empty when absent or no string. */
static struct slice text_of(const json_t *entry, const char *name)
{
    const json_t *value = json_object_get(entry, name);
    return (struct slice){json_string_value(value), json_string_length(value)};
}

static const struct kind *kind_of(const json_t *entry)
{
    struct slice kty = text_of(entry, "kty"), crv = text_of(entry, "crv");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_is(kty, kinds[i].kty) && (!kinds[i].crv || slice_is(crv, kinds[i].crv)))
            return &kinds[i];
    return NULL;
}

/* RFC 7517 §4.2 and §4.3: both may be absent. */
static bool is_for_verifying(const json_t *entry)
{
    const json_t *use = json_object_get(entry, "use");
    const json_t *ops = json_object_get(entry, "key_ops");

    if (use && !slice_is(text_of(entry, "use"), "sig"))
        return false;
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const json_t *op = json_array_get(ops, i);
        if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
            return true;
    }
    return !ops;
}

static bool read_alg(const json_t *entry, const struct kind *kind, enum token_alg *alg)
{
    if (json_object_get(entry, "alg"))
        return token_alg_find(text_of(entry, "alg"), alg);
    return kind->default_alg && token_alg_find(slice_of(kind->default_alg), alg);
}

static bool read_numbers(const json_t *entry, const struct kind *kind,
                         struct numbers *numbers)
{
    for (size_t i = 0; i < 2; i++) {
        size_t len = 0;
        numbers->slices[i] = (struct slice){0};
        if (!kind->members[i])
            continue;
        struct slice text = text_of(entry, kind->members[i]);
        if (text.len == 0 || text.len > NUMBER_BYTES ||
            !ident_base64url_decode(text, numbers->bytes[i], &len) || len == 0)
            return false;
        numbers->slices[i] = (struct slice){(char *)numbers->bytes[i], len};
    }
    return true;
}

static enum status make_key(enum token_alg alg, struct slice kid, const struct kind *kind,
                            const struct numbers *numbers, struct token_key **key,
                            const char **why)
{
    const struct slice *slices = numbers->slices;
    struct token_numbers public = {0};

    if (kind->members[0][0] == 'k')
        return token_key_from_secret(alg, kid, slices[0], key, why);
    if (kind->members[0][0] == 'n') {
        public.n = slices[0];
        public.e = slices[1];
    } else {
        public.x = slices[0];
        public.y = slices[1];
    }
    return token_key_from_numbers(alg, kid, &public, key, why);
}

static enum status read_entry(const json_t *entry, unsigned algs, struct token_key **key,
                              const char **why)
{
    const struct kind *kind = kind_of(entry);
    struct numbers numbers;
    enum token_alg alg;

    *why = "is no object";
    if (!json_is_object(entry))
        return ST_BAD_PAYLOAD;
    *why = "has a type or curve that is not known (kty, crv)";
    if (!kind)
        return ST_BAD_PAYLOAD;
    *why = "is not meant for checking signatures (use, key_ops)";
    if (!is_for_verifying(entry))
        return ST_BAD_PAYLOAD;
    *why = "names no algorithm that is known (alg)";
    if (!read_alg(entry, kind, &alg))
        return ST_BAD_PAYLOAD;
    *why = "is for an algorithm that auth.jwt.algorithms does not list";
    if (!(algs & TOKEN_ALG_BIT(alg)))
        return ST_BAD_PAYLOAD;
    *why = "is a private key: publish only its public part";
    if (json_object_get(entry, "d"))
        return ST_BAD_PAYLOAD;
    *why = "has a kid that is no text";
    if (json_object_get(entry, "kid") && text_of(entry, "kid").len == 0)
        return ST_BAD_PAYLOAD;
    *why = "has numbers that cannot be read";
    if (!read_numbers(entry, kind, &numbers))
        return ST_BAD_PAYLOAD;
    return make_key(alg, text_of(entry, "kid"), kind, &numbers, key, why);
}

static enum status add_entry(struct token_keys *keys, const json_t *entry, unsigned algs,
                             const char **why)
{
    struct token_key *key = NULL;
    enum status st = read_entry(entry, algs, &key, why);

    if (st)
        return st;
    st = token_keys_put(keys, key);
    if (st == ST_CONFLICT)
        *why = json_object_get(entry, "kid")
                   ? "has a kid that another key has already"
                   : "has no kid, and another key is for tokens without one already";
    else if (st == ST_LIMIT)
        *why = "is one too many: 100 keys are the most";
    return st;
}

static enum status add_all(struct token_keys *keys, const json_t *list, unsigned algs,
                           token_jwks_skip_fn *on_skip, void *ctx, const char **reason)
{
    size_t added = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *why;
        enum status st = add_entry(keys, entry, algs, &why);
        if (st == ST_NO_MEMORY)
            return st;
        if (!st)
            added++;
        else if (on_skip)
            on_skip(ctx, i, text_of(entry, "kid"), why);
    }
    *reason = "has no key that can be used";
    return added > 0 || json_array_size(list) == 0 ? ST_OK : ST_BAD_PAYLOAD;
}

enum status token_jwks_add(struct token_keys *keys, struct slice text, unsigned algs,
                           token_jwks_skip_fn *on_skip, void *ctx, const char **reason)
{
    struct json_value value;
    json_t *tree = NULL;

    *reason = "is no JSON";
    if (json_gate_check(text, &json_limits_default, &value, NULL) == ST_OK)
        tree = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!tree)
        return ST_BAD_PAYLOAD;

    const json_t *list = json_object_get(tree, "keys");
    enum status st = ST_BAD_PAYLOAD;
    *reason = "is no key set: {\"keys\":[...]} was expected";
    if (json_is_array(list))
        st = add_all(keys, list, algs, on_skip, ctx, reason);
    json_decref(tree);
    return st;
}

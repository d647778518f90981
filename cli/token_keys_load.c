/* The configured token keys: see the header. */
#include "cli/token_keys_load.h"

#include "bridge/http_client.h"
#include "bridge/secret_file.h"
#include "bridge/token_jwks.h"
#include "bridge/token_secret.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the two places for the secret are called. */
static const char in_settings[] = "auth.jwt.hmac_secret";
static const char in_file[] = "auth.jwt.hmac_secret_file";

/* One run of token_keys_load. */
struct load {
    const struct config_auth *auth;
    struct token_keys *keys;
    const struct logger *log;
    unsigned algs; /* 0: none are listed */
    char *reason;
};

/* "kid:ALG:FILE", lent by the setting. */
struct key_item {
    struct slice all, kid, alg, file;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct load *load,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(load->reason, TOKEN_KEYS_REASON_BYTES, format, args);
    va_end(args);
    return false;
}

static bool next_item(struct slice *list, struct key_item *item)
{
    struct slice rest;

    while (list->len > 0) {
        slice_cut(*list, ',', &item->all, list);
        item->all = slice_trim(item->all);
        if (item->all.len == 0)
            continue;
        slice_cut(item->all, ':', &item->kid, &rest);
        slice_cut(rest, ':', &item->alg, &item->file);
        return true;
    }
    return false;
}

/* Files are watched: they are read again whenever they change. Gives the text (free). */
static bool read_watched(struct load *load, const char *name, const char *path,
                         char **text)
{
    bool is_there = access(path, F_OK) == 0;
    const char *why = "it is no regular file";

    *text = NULL;
    if (is_there && !secret_file_is_regular(path))
        return fail(load, "%s: %s: %s", name, path, why);
    if (!secret_file_read(path, text, &why))
        return true;
    return fail(load, "%s: %s: %s", name, path, why);
}

/* --- the secret */

/* A secret is good for one algorithm: the only HS… that is listed, or HS256. */
static bool secret_alg(struct load *load, enum token_alg *alg)
{
    unsigned hmac = TOKEN_ALG_BIT(TOKEN_HS256) | TOKEN_ALG_BIT(TOKEN_HS384) |
                    TOKEN_ALG_BIT(TOKEN_HS512);
    unsigned listed = load->algs ? load->algs & hmac : TOKEN_ALG_BIT(TOKEN_HS256);

    for (int i = TOKEN_HS256; i <= TOKEN_HS512; i++) {
        *alg = (enum token_alg)i;
        if (listed == TOKEN_ALG_BIT(i))
            return true;
    }
    return fail(
        load, listed ? "auth.jwt.algorithms lists more than one of HS256, HS384 "
                       "and HS512: auth.jwt.hmac_secret is good for one"
                     : "there is an auth.jwt.hmac_secret, and auth.jwt.algorithms lists "
                       "none of HS256, HS384 and HS512");
}

static bool add_secret(struct load *load, const char *name, const char *secret)
{
    enum token_alg alg;
    const char *fault = token_secret_fault(slice_of(secret));

    if (!secret_alg(load, &alg))
        return false;
    if (fault)
        return fail(load, "%s %s", name, fault);
    enum status st = token_keys_add(load->keys, alg, slice_of(""), slice_of(secret));
    return !st || fail(load, "%s: %s", name, status_title(st));
}

/* Of a tool, which reads it once. */
static bool add_key_file(struct load *load, const char *path)
{
    const char *why;
    char *text = NULL;
    bool is_added = secret_file_read(path, &text, &why)
                        ? fail(load, "the key file cannot be read as a secret: %s", why)
                        : add_secret(load, "the secret in the key file", text);

    free(text);
    return is_added;
}

static bool add_configured_secret(struct load *load)
{
    const char *secret = load->auth->hmac_secret, *path = load->auth->hmac_secret_file;
    char *text = NULL;

    if (secret[0] && path[0])
        return fail(load, "%s and %s are both set: keep one", in_settings, in_file);
    if (path[0] == '\0')
        return secret[0] == '\0' || add_secret(load, in_settings, secret);
    bool is_added =
        read_watched(load, in_file, path, &text) && add_secret(load, in_file, text);
    free(text);
    return is_added;
}

/* --- public keys */

static bool fail_item(struct load *load, const struct key_item *item, const char *why)
{
    return fail(load, "auth.jwt.keys: %.*s %s", (int)slice_first(item->all, 200).len,
                item->all.ptr, why);
}

static bool add_pem(struct load *load, const struct key_item *item, enum token_alg alg,
                    struct slice pem)
{
    struct token_key *key = NULL;
    const char *why = "";
    enum status st = token_key_from_pem(alg, item->kid, pem, &key, &why);

    if (st)
        return fail_item(load, item, why);
    st = token_keys_put(load->keys, key);
    if (st == ST_CONFLICT)
        return fail_item(load, item,
                         item->kid.len > 0
                             ? "has a kid that another key has already"
                             : "has no kid, and another key is for tokens without one");
    return !st || fail_item(load, item, "is one too many: 100 keys are the most");
}

static bool add_item(struct load *load, const struct key_item *item)
{
    char path[PATH_MAX], *pem = NULL;
    enum token_alg alg;

    if (item->file.len == 0 || item->file.len >= sizeof path)
        return fail_item(load, item,
                         "must be KID:ALG:FILE, for instance k1:RS256:/etc/k1.pem");
    if (!token_alg_find(item->alg, &alg))
        return fail_item(load, item, "names no algorithm that is known, such as RS256");
    if (load->algs && !(load->algs & TOKEN_ALG_BIT(alg)))
        return fail_item(load, item,
                         "is for an algorithm that auth.jwt.algorithms does not list");
    snprintf(path, sizeof path, "%.*s", (int)item->file.len, item->file.ptr);
    if (!read_watched(load, "auth.jwt.keys", path, &pem))
        return false;
    bool is_added = add_pem(load, item, alg, slice_of(pem));
    free(pem);
    return is_added;
}

static bool add_items(struct load *load)
{
    struct slice list = slice_of(load->auth->keys);
    struct key_item item;

    while (next_item(&list, &item))
        if (!add_item(load, &item))
            return false;
    return true;
}

static void on_skip(void *ctx, size_t index, struct slice kid, const char *why)
{
    const struct load *load = ctx;

    if (load->log)
        log_warn(load->log, "a key of auth.jwt.jwks_file is not used",
                 LOG_NUM("index", index), LOG_SLICE("kid", kid),
                 LOG_TEXT("because", why));
}

static bool add_jwks(struct load *load)
{
    const char *path = load->auth->jwks_file, *why;
    char *text = NULL;

    if (path[0] == '\0')
        return true;
    if (!read_watched(load, "auth.jwt.jwks_file", path, &text))
        return false;
    enum status st =
        token_jwks_add(load->keys, slice_of(text),
                       load->algs ? load->algs : TOKEN_ALGS_ALL, on_skip, load, &why);
    free(text);
    return !st || fail(load, "auth.jwt.jwks_file: %s %s", path, why);
}

/* --- all of it */

static bool check_url(struct load *load)
{
    const char *url = load->auth->jwks_url, *why = "";

    return url[0] == '\0' || http_client_may_fetch(url, &why) ||
           fail(load, "auth.jwt.jwks_url %s", why);
}

unsigned token_keys_algs(const struct config_auth *auth)
{
    unsigned algs = 0;
    struct slice bad;

    return token_algs_read(slice_of(auth->algorithms), &algs, &bad) && algs
               ? algs
               : TOKEN_ALGS_ALL;
}

static bool set_rules(struct load *load)
{
    const struct config_auth *auth = load->auth;
    const struct claims_rules rules = {
        .leeway_s = (int64_t)(auth->leeway_ms / 1000),
        .max_ttl_s = (int64_t)(auth->max_ttl_ms / 1000),
        .issuer = slice_of(auth->issuer),
        .audience = slice_of(auth->audience),
    };

    if (slice_starts_with(rules.audience, "sidecast:"))
        return fail(load,
                    "auth.jwt.audience is one of the backends' (sidecast:...), whose "
                    "tokens no client may use: choose another");
    return !token_keys_set_rules(load->keys, &rules) || fail(load, "out of memory");
}

static bool read_algs(struct load *load)
{
    struct slice bad;

    return token_algs_read(slice_of(load->auth->algorithms), &load->algs, &bad) ||
           fail(load,
                "auth.jwt.algorithms: \"%.*s\" is none of HS256, HS384, HS512, RS256, "
                "RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA",
                (int)slice_first(bad, 40).len, bad.ptr);
}

static bool add_all(struct load *load, const char *key_file)
{
    if (!set_rules(load) || !read_algs(load))
        return false;
    if (key_file)
        return add_key_file(load, key_file);
    return add_configured_secret(load) && add_items(load) && add_jwks(load) &&
           check_url(load);
}

struct token_keys *token_keys_load(const struct config_auth *auth, const char *key_file,
                                   const struct logger *log,
                                   char reason[TOKEN_KEYS_REASON_BYTES])
{
    struct load load = {.auth = auth, .keys = token_keys_create(), .log = log};

    load.reason = reason;
    if (load.keys && add_all(&load, key_file))
        return load.keys;
    if (!load.keys)
        fail(&load, "out of memory");
    token_keys_destroy(load.keys);
    return NULL;
}

void token_keys_each_file(const struct config_auth *auth, token_keys_file_fn *visit,
                          void *ctx)
{
    struct slice list = slice_of(auth->keys);
    struct key_item item;
    char path[PATH_MAX];

    if (auth->hmac_secret_file[0])
        visit(ctx, auth->hmac_secret_file);
    while (next_item(&list, &item)) {
        snprintf(path, sizeof path, "%.*s", (int)item.file.len,
                 item.file.len > 0 ? item.file.ptr : "");
        visit(ctx, path);
    }
    if (auth->jwks_file[0])
        visit(ctx, auth->jwks_file);
}

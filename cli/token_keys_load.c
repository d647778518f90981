/* The configured token keys: see the header. */
#include "cli/token_keys_load.h"

#include "bridge/secret_file.h"

#include <stdlib.h>
#include <string.h>

static enum token_alg alg_of(const char *name)
{
    if (strcmp(name, "HS512") == 0)
        return TOKEN_HS512;
    return strcmp(name, "HS384") == 0 ? TOKEN_HS384 : TOKEN_HS256;
}

static enum status add(struct token_keys *keys, const struct config_auth *auth,
                       const char *key_file, const char **reason)
{
    char *text = NULL;

    if (key_file && secret_file_read(key_file, &text, reason)) {
        *reason = "the key file cannot be read as a secret";
        return ST_NOT_FOUND;
    }
    enum status st = token_keys_add(keys, alg_of(auth->algorithm), slice_of(""),
                                    slice_of(text ? text : auth->hmac_secret));
    if (st)
        *reason = st == ST_BAD_REQUEST
                      ? "auth.jwt.hmac_secret must have at least 32 bytes"
                      : status_title(st);
    free(text);
    return st;
}

struct token_keys *token_keys_load(const struct config_auth *auth, const char *key_file,
                                   const char **reason)
{
    struct token_keys *keys = token_keys_create();

    *reason = "out of memory";
    if (!keys)
        return NULL;
    token_keys_set_leeway(keys, (int64_t)(auth->leeway_ms / 1000));
    if (token_keys_are_none(auth, key_file) || !add(keys, auth, key_file, reason))
        return keys;
    token_keys_destroy(keys);
    return NULL;
}

bool token_keys_are_none(const struct config_auth *auth, const char *key_file)
{
    return !key_file && auth->hmac_secret[0] == '\0';
}

/*
 * The configured token keys: auth.jwt.hmac_secret or its _file, auth.jwt.keys and
 * auth.jwt.jwks_file, with the rules beside them. What is at auth.jwt.jwks_url is
 * cli/token_url's to fetch. Loop thread.
 */
#ifndef CLI_TOKEN_KEYS_LOAD_H
#define CLI_TOKEN_KEYS_LOAD_H

#include "bridge/config.h"
#include "bridge/token.h"

enum {
    TOKEN_KEYS_REASON_BYTES = 512
};

/*
 * Gives the keys (token_keys_destroy): the secret in `key_file` alone when it is not
 * NULL, else all that are configured, which may be none. NULL: `reason` is a sentence
 * that names the setting. Entries of a JWKS that are skipped are told to `log`, which may
 * be NULL.
 */
struct token_keys *token_keys_load(const struct config_auth *auth, const char *key_file,
                                   const struct logger *log,
                                   char reason[TOKEN_KEYS_REASON_BYTES]);

/* The algorithms that auth.jwt.algorithms lists, as bits; all where it lists none. */
unsigned token_keys_algs(const struct config_auth *auth);

/* Visits each file that keys come from. `path` is lent for the call. */
typedef void token_keys_file_fn(void *ctx, const char *path);
void token_keys_each_file(const struct config_auth *auth, token_keys_file_fn *visit,
                          void *ctx);

#endif

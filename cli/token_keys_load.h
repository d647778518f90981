/* The configured token keys. */
#ifndef CLI_TOKEN_KEYS_LOAD_H
#define CLI_TOKEN_KEYS_LOAD_H

#include "bridge/config.h"
#include "bridge/token.h"

/*
 * Gives the keys (token_keys_destroy): the secret in `key_file` when it is not NULL, else
 * the configured one; none at all when that is empty. NULL: `*reason` is a sentence.
 */
struct token_keys *token_keys_load(const struct config_auth *auth, const char *key_file,
                                   const char **reason);

/* Nothing is configured to sign or to verify with. */
bool token_keys_are_none(const struct config_auth *auth, const char *key_file);

#endif

/*
 * Key sets as other servers publish them: JWKS (RFC 7517). Loop thread.
 */
#ifndef BRIDGE_TOKEN_JWKS_H
#define BRIDGE_TOKEN_JWKS_H

#include "bridge/token_keys.h"

/* An entry that is not taken: its number from 0, its kid if it can be read, and a few
 * words: "has a type that is not known". Borrowed. */
typedef void token_jwks_skip_fn(void *ctx, size_t index, struct slice kid,
                                const char *why);

/*
 * Borrows `text`; adds the keys that it has for `algs` (TOKEN_ALG_BIT). What is not meant
 * for signatures, not known, not listed, weak or private is skipped and told to `on_skip`
 * (which may be NULL). A key without `alg` is good for exactly one: RSA for RS256, EC for
 * that of its curve, OKP for EdDSA; a secret (oct) must name it. A key without `kid` is
 * for tokens without one.
 * ST_BAD_PAYLOAD: no key set, or none of its keys can be used; `*reason` is a few words.
 * An empty list is a key set: nobody may come. ST_NO_MEMORY is possible.
 */
enum status token_jwks_add(struct token_keys *keys, struct slice text, unsigned algs,
                           token_jwks_skip_fn *on_skip, void *ctx, const char **reason);

#endif

/*
 * Tokens: the one wrapper of libjwt. A key record pins its algorithm; what the token's
 * header asks for never chooses. Claims are checked by proto/claims, not by the library.
 * Loop thread.
 */
#ifndef BRIDGE_TOKEN_H
#define BRIDGE_TOKEN_H

#include "proto/buf.h"
#include "proto/claims.h"

#include <jansson.h>

enum token_alg {
    TOKEN_HS256,
    TOKEN_HS384,
    TOKEN_HS512,
};

struct token_keys;

/* Gives an empty set (token_keys_destroy), or NULL when out of memory. */
struct token_keys *token_keys_create(void);
void token_keys_destroy(struct token_keys *keys);

/*
 * Borrows `secret` and `kid` (empty: the key for tokens without one). ST_BAD_REQUEST when
 * the secret is shorter than 32 bytes or the kid is malformed; ST_CONFLICT when the kid
 * is taken.
 */
enum status token_keys_add(struct token_keys *keys, enum token_alg alg, struct slice kid,
                           struct slice secret);

/* How far apart the clocks of issuer and server may be, for `exp`, `nbf` and `iat`; 0 at
 * first. */
void token_keys_set_leeway(struct token_keys *keys, int64_t leeway_s);

/*
 * REFUSAL_NONE gives `*claims` (claims_drop). An empty token is REFUSAL_MISSING. `hint`
 * gets a sentence for the log and, outside production, the client; never a byte of the
 * token.
 */
enum refusal token_verify(const struct token_keys *keys, struct slice token,
                          enum claims_use use, int64_t now_s, struct claims **claims,
                          char hint[160]);

/*
 * Borrows `claims`; appends a token signed with the key called `kid`. ST_NOT_FOUND: no
 * such key; ST_TOO_LARGE: more than LIMIT_TOKEN_BYTES.
 */
enum status token_mint(const struct token_keys *keys, struct slice kid,
                       const json_t *claims, struct buf *out);

#endif

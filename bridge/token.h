/*
 * Tokens: signed JWTs (RFC 7519), verified and minted. A key record pins its algorithm;
 * what the token's header asks for never chooses. Claims are checked by proto/claims, not
 * by a library. Loop thread.
 */
#ifndef BRIDGE_TOKEN_H
#define BRIDGE_TOKEN_H

#include "bridge/token_keys.h"
#include "proto/buf.h"

#include <jansson.h>

/*
 * REFUSAL_NONE gives `*claims` (claims_drop), perhaps shared with earlier callers. An
 * empty token is REFUSAL_MISSING. `hint` gets a sentence for the log and, outside
 * production, the client; never a byte of the token.
 */
enum refusal token_verify(const struct token_keys *keys, struct slice token,
                          enum claims_use use, int64_t now_s, struct claims **claims,
                          char hint[160]);

/*
 * Adds to `claims` what a token for `use` needs on this server: `iat`, an `exp` that is
 * `ttl_s` ahead (or max_ttl_s of the rules, if that is less), `iss` and `aud`.
 */
void token_address(const struct token_keys *keys, enum claims_use use, int64_t now_s,
                   int64_t ttl_s, json_t *claims);

/*
 * Borrows `claims`; appends a token signed with the secret called `kid`, or with the
 * first secret there is when `kid` is empty. ST_NOT_FOUND: no such secret; ST_TOO_LARGE:
 * more than LIMIT_TOKEN_BYTES.
 */
enum status token_mint(const struct token_keys *keys, struct slice kid,
                       const json_t *claims, struct buf *out);

#endif

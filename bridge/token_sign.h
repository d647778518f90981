/*
 * Tokens signed with a private key: for tools. A server only verifies. Any thread.
 */
#ifndef BRIDGE_TOKEN_SIGN_H
#define BRIDGE_TOKEN_SIGN_H

#include "bridge/token_key.h"
#include "proto/buf.h"

#include <jansson.h>

/*
 * Borrows everything; appends the token. `pem` is a private key without a passphrase, and
 * an empty `kid` is left out of the header. ST_BAD_REQUEST: the key does not fit;
 * `*reason` is a few words to stand after its name. ST_TOO_LARGE: more than
 * LIMIT_TOKEN_BYTES.
 */
enum status token_sign(enum token_alg alg, struct slice kid, struct slice pem,
                       const json_t *claims, struct buf *out, const char **reason);

#endif

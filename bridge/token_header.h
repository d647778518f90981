/*
 * The three parts of a compact token (RFC 7515 §3.1) and its header, read before any
 * library or key has seen them. Any thread.
 */
#ifndef BRIDGE_TOKEN_HEADER_H
#define BRIDGE_TOKEN_HEADER_H

#include "bridge/token_key.h"
#include "proto/claims.h"

enum {
    TOKEN_HEADER_MAX_BYTES = 512,
    TOKEN_DECODED_BYTES = LIMIT_TOKEN_BYTES * 3 / 4 + 3
};

/* What is in a token. The memory is here: nothing is allocated. */
struct token_parts {
    struct slice
        signed_text;       /* header and payload as they were signed; lent by the token */
    struct slice alg, kid; /* of the header; kid may be empty */
    struct slice payload, signature; /* decoded */
    uint8_t header_bytes[TOKEN_DECODED_BYTES];
    uint8_t payload_bytes[TOKEN_DECODED_BYTES];
    uint8_t signature_bytes[TOKEN_DECODED_BYTES];
};

/*
 * Borrows `token`; `*parts` lends from it and from itself. Refuses more or less than
 * three parts, base64url that is not canonical, a header that is no small object with a
 * plain `alg`, asks for extensions (crit, b64), brings keys of its own (jku, jwk, x5u,
 * x5c), or is of another `typ` than JWT and at+jwt. `hint` gets a sentence; never a byte
 * of the token.
 */
enum refusal token_parts_read(struct slice token, struct token_parts *parts,
                              char hint[160]);

#endif

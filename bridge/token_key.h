/*
 * One key and the one algorithm that it is good for: what a token's header asks for never
 * chooses. Parsed once; verifying is all that a token costs then. Loop thread.
 */
#ifndef BRIDGE_TOKEN_KEY_H
#define BRIDGE_TOKEN_KEY_H

#include "bridge/token_alg.h"
#include "proto/limits.h"
#include "proto/status.h"

enum {
    TOKEN_RSA_MIN_BITS = 2048,
    TOKEN_RSA_MAX_BITS = 8192,
    TOKEN_SIGNATURE_MAX_BYTES = TOKEN_RSA_MAX_BITS / 8
};

struct token_key;

/* The numbers of a JWK, as bytes, most significant first. What a key type has not is
 * empty. All borrowed. */
struct token_numbers {
    struct slice n, e; /* RSA */
    struct slice x, y; /* EC; Ed25519: x alone */
};

/*
 * Each gives a key (token_key_destroy). ST_BAD_REQUEST: `*reason` is a few words to stand
 * after the key's name: "is an RSA key of less than 2048 bits". ST_NO_MEMORY is possible.
 * An empty `kid` is that of tokens without one; others must be well-formed.
 */
enum status token_key_from_secret(enum token_alg alg, struct slice kid,
                                  struct slice secret, struct token_key **key,
                                  const char **reason);
enum status token_key_from_pem(enum token_alg alg, struct slice kid, struct slice pem,
                               struct token_key **key, const char **reason);
enum status token_key_from_numbers(enum token_alg alg, struct slice kid,
                                   const struct token_numbers *numbers,
                                   struct token_key **key, const char **reason);
void token_key_destroy(struct token_key *key);

enum token_alg token_key_alg(const struct token_key *key);
const char *token_key_kid(const struct token_key *key);
/* Lends the secret; empty for a public key. */
struct slice token_key_secret(const struct token_key *key);

/* 1 to 64 of [A-Za-z0-9._-]: nothing that could be a path or a query. */
bool token_kid_is_valid(struct slice kid);

/* Is `signature` this key's for `text`? Wrong lengths are no. */
bool token_key_signed(const struct token_key *key, struct slice text,
                      struct slice signature);

#endif

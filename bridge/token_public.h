/*
 * Public keys, from PEM or from the numbers of a JWK, and whether one fits an algorithm.
 * Any thread. Inside token_key*.c alone: the type is OpenSSL's EVP_PKEY.
 */
#ifndef BRIDGE_TOKEN_PUBLIC_H
#define BRIDGE_TOKEN_PUBLIC_H

#include "bridge/token_key.h"

struct evp_pkey_st;

/* Gives a key (EVP_PKEY_free), or NULL: `*reason` is a few words to stand after the key's
 * name. */
struct evp_pkey_st *token_public_from_pem(struct slice pem, const char **reason);
struct evp_pkey_st *token_public_from_numbers(enum token_alg alg,
                                              const struct token_numbers *numbers,
                                              const char **reason);

/* NULL: it fits. Else a few words: "is an RSA key of less than 2048 bits". */
const char *token_public_fault(struct evp_pkey_st *key, enum token_alg alg);

#endif

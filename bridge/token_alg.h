/*
 * The algorithms that a token may be signed with (RFC 7518 §3.1, RFC 8037 §3.1): one
 * table. "none" is not in it. Constant, any thread.
 */
#ifndef BRIDGE_TOKEN_ALG_H
#define BRIDGE_TOKEN_ALG_H

#include "proto/slice.h"

enum token_alg {
    TOKEN_HS256,
    TOKEN_HS384,
    TOKEN_HS512,
    TOKEN_RS256,
    TOKEN_RS384,
    TOKEN_RS512,
    TOKEN_PS256,
    TOKEN_PS384,
    TOKEN_PS512,
    TOKEN_ES256,
    TOKEN_ES384,
    TOKEN_ES512,
    TOKEN_EDDSA, /* Ed25519 */
    TOKEN_ALG_COUNT
};

/* What kind of key an algorithm needs. */
enum token_family {
    TOKEN_FAMILY_HMAC,
    TOKEN_FAMILY_RSA,
    TOKEN_FAMILY_RSA_PSS,
    TOKEN_FAMILY_EC,
    TOKEN_FAMILY_ED25519
};

struct token_alg_row {
    const char *name;
    enum token_family family;
    const char *digest;     /* as OpenSSL calls it; NULL: the algorithm has its own */
    const char *curve;      /* EC: as OpenSSL calls it */
    const char *jwk_curve;  /* EC and Ed25519: as RFC 7518 and 8037 call it */
    size_t signature_bytes; /* 0: as many as the RSA modulus */
};

/* Lends the row. */
const struct token_alg_row *token_alg_row(enum token_alg alg);

/* The exact name, upper and lower case as the RFC has it; false: not one of ours. */
bool token_alg_find(struct slice name, enum token_alg *alg);

/* A set of algorithms: bit 1 << alg each. */
#define TOKEN_ALG_BIT(alg) (1u << (alg))
#define TOKEN_ALGS_ALL (TOKEN_ALG_BIT(TOKEN_ALG_COUNT) - 1)

/* "RS256, ES256"; empty: the empty set. False: `*bad` lends the item that is none. */
bool token_algs_read(struct slice list, unsigned *algs, struct slice *bad);

#endif

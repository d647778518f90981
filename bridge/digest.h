/*
 * SHA-256: bodies of repeated ids, stored keys. SHA-1 only where RFC 6455 asks for it: as
 * proof that the other side speaks WebSocket, not against an adversary. Any thread.
 */
#ifndef BRIDGE_DIGEST_H
#define BRIDGE_DIGEST_H

#include "proto/slice.h"

enum {
    DIGEST_SHA256_BYTES = 32,
    DIGEST_SHA1_BYTES = 20
};

/* Borrows `bytes`. Ends the process when the library has no SHA-256: nothing is safe
 * without it. */
void digest_sha256(struct slice bytes, unsigned char out[DIGEST_SHA256_BYTES]);

/* The same for SHA-1. */
void digest_sha1(struct slice bytes, unsigned char out[DIGEST_SHA1_BYTES]);

/*
 * SHA-256 with all that the library has to look up kept at hand: a third of the cost, for
 * digests of few bytes by the thousand. Loop thread, or whose it is.
 */
struct digester;

/* Gives a digester (digester_destroy), or NULL when out of memory. */
struct digester *digester_create(void);
void digester_destroy(struct digester *digester);
/* As digest_sha256. */
void digester_sha256(struct digester *digester, struct slice bytes,
                     unsigned char out[DIGEST_SHA256_BYTES]);

/* HMAC-SHA256 over the parts, one after the other. Borrows everything. */
void digest_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
                        unsigned char out[DIGEST_SHA256_BYTES]);

#endif

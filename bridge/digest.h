/* SHA-256, the one digest of this house: bodies of repeated ids, stored keys. Any thread.
 */
#ifndef BRIDGE_DIGEST_H
#define BRIDGE_DIGEST_H

#include "proto/slice.h"

enum {
    DIGEST_SHA256_BYTES = 32
};

/* Borrows `bytes`. Ends the process when the library has no SHA-256: nothing is safe
 * without it. */
void digest_sha256(struct slice bytes, unsigned char out[DIGEST_SHA256_BYTES]);

#endif

/* SHA-256 by OpenSSL: see the header. */
#include "bridge/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

void digest_sha256(struct slice bytes, unsigned char out[DIGEST_SHA256_BYTES])
{
    unsigned len = 0;
    const char *from = bytes.ptr ? bytes.ptr : "";

    if (!EVP_Digest(from, bytes.len, out, &len, EVP_sha256(), NULL) ||
        len != DIGEST_SHA256_BYTES)
        abort();
}

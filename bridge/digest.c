/* Digests by OpenSSL: see the header. */
#include "bridge/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

static void digest(const EVP_MD *kind, struct slice bytes, unsigned char *out,
                   unsigned wanted)
{
    unsigned len = 0;
    const char *from = bytes.ptr ? bytes.ptr : "";

    if (!EVP_Digest(from, bytes.len, out, &len, kind, NULL) || len != wanted)
        abort();
}

void digest_sha256(struct slice bytes, unsigned char out[DIGEST_SHA256_BYTES])
{
    digest(EVP_sha256(), bytes, out, DIGEST_SHA256_BYTES);
}

void digest_sha1(struct slice bytes, unsigned char out[DIGEST_SHA1_BYTES])
{
    digest(EVP_sha1(), bytes, out, DIGEST_SHA1_BYTES);
}

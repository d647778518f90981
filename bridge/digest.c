/* Digests by OpenSSL: see the header. */
#include "bridge/digest.h"

#include <openssl/core_names.h>
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

void digest_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
                        unsigned char out[DIGEST_SHA256_BYTES])
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    size_t len = 0;

    if (!ctx || !EVP_MAC_init(ctx, (const unsigned char *)key.ptr, key.len, params))
        abort();
    for (size_t i = 0; i < count; i++)
        if (!EVP_MAC_update(ctx, (const unsigned char *)parts[i].ptr, parts[i].len))
            abort();
    if (!EVP_MAC_final(ctx, out, &len, DIGEST_SHA256_BYTES) || len != DIGEST_SHA256_BYTES)
        abort();
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
}

struct digester {
    EVP_MD *kind;
    EVP_MD_CTX *ctx;
};

struct digester *digester_create(void)
{
    struct digester *digester = calloc(1, sizeof *digester);

    if (!digester)
        return NULL;
    digester->kind = EVP_MD_fetch(NULL, "SHA256", NULL);
    digester->ctx = EVP_MD_CTX_new();
    if (!digester->kind || !digester->ctx) {
        digester_destroy(digester);
        return NULL;
    }
    return digester;
}

void digester_destroy(struct digester *digester)
{
    if (!digester)
        return;
    EVP_MD_CTX_free(digester->ctx);
    EVP_MD_free(digester->kind);
    free(digester);
}

void digester_sha256(struct digester *digester, struct slice bytes,
                     unsigned char out[DIGEST_SHA256_BYTES])
{
    const char *from = bytes.ptr ? bytes.ptr : "";

    if (!EVP_DigestInit_ex2(digester->ctx, digester->kind, NULL) ||
        !EVP_DigestUpdate(digester->ctx, from, bytes.len) ||
        !EVP_DigestFinal_ex(digester->ctx, out, NULL))
        abort();
}

/* Public keys by OpenSSL: see the header. */
#include "bridge/token_public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

enum {
    FIELD_MAX_BYTES = 66 /* one number of P-521 */
};

static const char *rsa_fault(const EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    int bits = EVP_PKEY_get_bits(key);

    if (bits < TOKEN_RSA_MIN_BITS)
        return "is an RSA key of less than 2048 bits";
    if (bits > TOKEN_RSA_MAX_BITS)
        return "is an RSA key of more than 8192 bits";
    /* With the exponent 1 everything is its own signature. */
    bool is_fit = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) && BN_is_odd(e) &&
                  !BN_is_one(e) && BN_num_bits(e) <= 64;
    BN_free(e);
    return is_fit ? NULL : "is an RSA key with an unusable exponent";
}

static const char *ec_fault(EVP_PKEY *key, const char *curve)
{
    char name[64];
    size_t len = 0;

    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name,
                                        sizeof name, &len) ||
        strcmp(name, curve) != 0)
        return "is an EC key on another curve than its algorithm's";
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool is_point = ctx && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_point ? NULL : "is no point of its curve";
}

const char *token_public_fault(EVP_PKEY *key, enum token_alg alg)
{
    const struct token_alg_row *row = token_alg_row(alg);

    switch (row->family) {
    case TOKEN_FAMILY_RSA:
        return EVP_PKEY_is_a(key, "RSA") ? rsa_fault(key) : "is no RSA key";
    case TOKEN_FAMILY_RSA_PSS:
        return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")
                   ? rsa_fault(key)
                   : "is no RSA key";
    case TOKEN_FAMILY_EC:
        return EVP_PKEY_is_a(key, "EC") ? ec_fault(key, row->curve) : "is no EC key";
    case TOKEN_FAMILY_ED25519:
        return EVP_PKEY_is_a(key, "ED25519") ? NULL : "is no Ed25519 key";
    default: return "is a public key, and its algorithm wants a secret";
    }
}

EVP_PKEY *token_public_from_pem(struct slice pem, const char **reason)
{
    /* Without a passphrase of ours the library would ask whoever sits at the terminal. */
    char passphrase[] = "";
    BIO *bio = BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, passphrase) : NULL;
    bool is_private = pem.ptr && memmem(pem.ptr, pem.len, "PRIVATE KEY", 11);

    BIO_free(bio);
    *reason = is_private ? "is a private key: this server needs the public one"
                         : "is no PEM public key (BEGIN PUBLIC KEY)";
    return key;
}

static bool push_rsa(OSSL_PARAM_BLD *build, const struct token_numbers *numbers,
                     BIGNUM *kept[2])
{
    kept[0] = BN_bin2bn((const unsigned char *)numbers->n.ptr, (int)numbers->n.len, NULL);
    kept[1] = BN_bin2bn((const unsigned char *)numbers->e.ptr, (int)numbers->e.len, NULL);
    return kept[0] && kept[1] &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, kept[0]) &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, kept[1]);
}

/* RFC 7518 §6.2.1.2: each number has exactly the length of the curve's field. */
static bool push_ec(OSSL_PARAM_BLD *build, const struct token_numbers *numbers,
                    const struct token_alg_row *row,
                    unsigned char point[1 + 2 * FIELD_MAX_BYTES])
{
    size_t field = row->signature_bytes / 2;

    if (numbers->x.len != field || numbers->y.len != field)
        return false;
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, numbers->x.ptr, field);
    memcpy(point + 1 + field, numbers->y.ptr, field);
    return OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, row->curve,
                                           0) &&
           OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                            1 + 2 * field);
}

/* Gives a key (EVP_PKEY_free), or NULL: these numbers are none. */
static EVP_PKEY *public_build(const struct token_alg_row *row,
                              const struct token_numbers *numbers)
{
    unsigned char point[1 + 2 * FIELD_MAX_BYTES];
    BIGNUM *kept[2] = {NULL, NULL};
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    bool is_ec = row->family == TOKEN_FAMILY_EC;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, is_ec ? "EC" : "RSA", NULL);

    if (build && ctx &&
        (is_ec ? push_ec(build, numbers, row, point) : push_rsa(build, numbers, kept)))
        params = OSSL_PARAM_BLD_to_param(build);
    if (params && EVP_PKEY_fromdata_init(ctx) > 0 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(kept[0]);
    BN_free(kept[1]);
    return key;
}

EVP_PKEY *token_public_from_numbers(enum token_alg alg,
                                    const struct token_numbers *numbers,
                                    const char **reason)
{
    const struct token_alg_row *row = token_alg_row(alg);

    *reason = "has numbers that are no key of its kind";
    if (row->family == TOKEN_FAMILY_HMAC)
        return NULL;
    if (row->family != TOKEN_FAMILY_ED25519)
        return public_build(row, numbers);
    return EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, NULL, (const unsigned char *)numbers->x.ptr, numbers->x.len);
}

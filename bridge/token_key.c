/* Keys by OpenSSL: see the header. */
#include "bridge/token_key.h"

#include "bridge/token_secret.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAC_MAX_BYTES = 64,
    EC_MAX_BYTES = 66, /* one number of P-521 */
    EC_DER_MAX_BYTES = 2 * EC_MAX_BYTES + 16
};

struct token_key {
    enum token_alg alg;
    char kid[LIMIT_KID_BYTES + 1];
    EVP_PKEY *public; /* NULL: an HMAC secret */
    EVP_MAC_CTX *mac; /* has the secret */
    EVP_MD_CTX *scratch;
    char *secret;
    size_t secret_len;
};

bool token_kid_is_valid(struct slice kid)
{
    if (kid.len == 0 || kid.len > LIMIT_KID_BYTES)
        return false;
    for (size_t i = 0; i < kid.len; i++) {
        char c = kid.ptr[i];
        bool is_alnum =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

void token_key_destroy(struct token_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->public);
    EVP_MAC_CTX_free(key->mac);
    EVP_MD_CTX_free(key->scratch);
    if (key->secret)
        OPENSSL_cleanse(key->secret, key->secret_len);
    free(key->secret);
    free(key);
}

static enum status key_create(enum token_alg alg, struct slice kid,
                              struct token_key **key, const char **reason)
{
    *reason = "has a kid that is not 1 to 64 of [A-Za-z0-9._-]";
    *key = NULL;
    if (kid.len > 0 && !token_kid_is_valid(kid))
        return ST_BAD_REQUEST;
    *reason = "finds no memory";
    *key = calloc(1, sizeof **key);
    if (!*key)
        return ST_NO_MEMORY;
    (*key)->alg = alg;
    if (kid.len > 0)
        memcpy((*key)->kid, kid.ptr, kid.len);
    return ST_OK;
}

/* Takes `key`. */
static enum status key_fail(struct token_key **key, enum status status)
{
    token_key_destroy(*key);
    *key = NULL;
    return status;
}

/* --- secrets */

static bool mac_open(struct token_key *key)
{
    char *digest = (char *)(uintptr_t)token_alg_row(key->alg)->digest;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    key->mac = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    return key->mac && EVP_MAC_init(key->mac, (const unsigned char *)key->secret,
                                    key->secret_len, params);
}

enum status token_key_from_secret(enum token_alg alg, struct slice kid,
                                  struct slice secret, struct token_key **key,
                                  const char **reason)
{
    enum status st = key_create(alg, kid, key, reason);

    if (st)
        return st;
    *reason = token_alg_row(alg)->family != TOKEN_FAMILY_HMAC
                  ? "is a secret, and its algorithm wants a public key"
                  : token_secret_fault(secret);
    if (*reason)
        return key_fail(key, ST_BAD_REQUEST);

    *reason = "finds no memory";
    (*key)->secret = slice_dup(secret);
    (*key)->secret_len = secret.len;
    if (!(*key)->secret || !mac_open(*key))
        return key_fail(key, ST_NO_MEMORY);
    return ST_OK;
}

static bool mac_holds(const struct token_key *key, struct slice text,
                      struct slice signature)
{
    unsigned char mac[MAC_MAX_BYTES];
    size_t len = 0;

    return EVP_MAC_init(key->mac, NULL, 0, NULL) &&
           EVP_MAC_update(key->mac, (const unsigned char *)text.ptr, text.len) &&
           EVP_MAC_final(key->mac, mac, &len, sizeof mac) &&
           slice_equal_secret((struct slice){(char *)mac, len}, signature);
}

/* --- public keys */

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

/* Does the key fit the algorithm? NULL: yes. */
static const char *public_fault(EVP_PKEY *key, enum token_alg alg)
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

/* Takes `public`, which may be NULL: then `fault` says why. */
static enum status key_from_public(enum token_alg alg, struct slice kid, EVP_PKEY *public,
                                   const char *fault, struct token_key **key,
                                   const char **reason)
{
    enum status st = key_create(alg, kid, key, reason);

    if (st) {
        EVP_PKEY_free(public);
        return st;
    }
    (*key)->public = public;
    *reason = public ? public_fault(public, alg) : fault;
    if (*reason)
        return key_fail(key, ST_BAD_REQUEST);
    *reason = "finds no memory";
    (*key)->scratch = EVP_MD_CTX_new();
    return (*key)->scratch ? ST_OK : key_fail(key, ST_NO_MEMORY);
}

enum status token_key_from_pem(enum token_alg alg, struct slice kid, struct slice pem,
                               struct token_key **key, const char **reason)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len);
    EVP_PKEY *public = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    bool is_private = !public && memmem(pem.ptr, pem.len, "PRIVATE KEY", 11);

    BIO_free(bio);
    return key_from_public(alg, kid, public,
                           is_private
                               ? "is a private key: this server needs the public one"
                               : "is no PEM public key (BEGIN PUBLIC KEY)",
                           key, reason);
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
                    unsigned char point[1 + 2 * EC_MAX_BYTES])
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
    unsigned char point[1 + 2 * EC_MAX_BYTES];
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

enum status token_key_from_numbers(enum token_alg alg, struct slice kid,
                                   const struct token_numbers *numbers,
                                   struct token_key **key, const char **reason)
{
    const struct token_alg_row *row = token_alg_row(alg);
    EVP_PKEY *public = NULL;

    if (row->family == TOKEN_FAMILY_ED25519)
    public = EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, NULL, (const unsigned char *)numbers->x.ptr, numbers->x.len);
    else if (row->family != TOKEN_FAMILY_HMAC) public = public_build(row, numbers);
    return key_from_public(alg, kid, public, "has numbers that are no key of its kind",
                           key, reason);
}

/* --- verifying */

/* JWS has r and s side by side (RFC 7518 §3.4), OpenSSL wants them as DER. 0: no memory.
 */
static size_t ec_signature(struct slice raw, unsigned char der[EC_DER_MAX_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)raw.ptr;
    int half = (int)(raw.len / 2), len = 0;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, half, NULL);
    BIGNUM *s = BN_bin2bn(bytes + half, half, NULL);

    if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
        if (i2d_ECDSA_SIG(signature, NULL) <= EC_DER_MAX_BYTES)
            len = i2d_ECDSA_SIG(signature, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(signature);
    return len > 0 ? (size_t)len : 0;
}

static bool public_holds(const struct token_key *key, struct slice text,
                         struct slice signature)
{
    const struct token_alg_row *row = token_alg_row(key->alg);
    unsigned char der[EC_DER_MAX_BYTES];
    EVP_PKEY_CTX *ctx = NULL; /* the scratch's own */

    if (row->family == TOKEN_FAMILY_EC)
        signature = (struct slice){(char *)der, ec_signature(signature, der)};
    EVP_MD_CTX_reset(key->scratch);
    if (signature.len == 0 || !EVP_DigestVerifyInit_ex(key->scratch, &ctx, row->digest,
                                                       NULL, NULL, key->public, NULL))
        return false;
    if (row->family == TOKEN_FAMILY_RSA_PSS &&
        (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) <= 0))
        return false;
    return EVP_DigestVerify(key->scratch, (const unsigned char *)signature.ptr,
                            signature.len, (const unsigned char *)text.ptr,
                            text.len) == 1;
}

bool token_key_signed(const struct token_key *key, struct slice text,
                      struct slice signature)
{
    size_t wanted = token_alg_row(key->alg)->signature_bytes;

    if (wanted == 0)
        wanted = (size_t)EVP_PKEY_get_size(key->public);
    if (signature.len != wanted)
        return false;
    return key->public ? public_holds(key, text, signature)
                       : mac_holds(key, text, signature);
}

enum token_alg token_key_alg(const struct token_key *key)
{
    return key->alg;
}

const char *token_key_kid(const struct token_key *key)
{
    return key->kid;
}

struct slice token_key_secret(const struct token_key *key)
{
    return (struct slice){key->secret, key->secret_len};
}

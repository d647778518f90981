/* Keys, and what they signed, by OpenSSL: see the header. */
#include "bridge/token_key.h"

#include "bridge/token_public.h"
#include "bridge/token_secret.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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
    *reason = public ? token_public_fault(public, alg) : fault;
    ERR_clear_error(); /* the reason says it */
    if (*reason)
        return key_fail(key, ST_BAD_REQUEST);
    *reason = "finds no memory";
    (*key)->scratch = EVP_MD_CTX_new();
    return (*key)->scratch ? ST_OK : key_fail(key, ST_NO_MEMORY);
}

enum status token_key_from_pem(enum token_alg alg, struct slice kid, struct slice pem,
                               struct token_key **key, const char **reason)
{
    const char *fault = NULL;
    EVP_PKEY *public = token_public_from_pem(pem, &fault);

    return key_from_public(alg, kid, public, fault, key, reason);
}

enum status token_key_from_numbers(enum token_alg alg, struct slice kid,
                                   const struct token_numbers *numbers,
                                   struct token_key **key, const char **reason)
{
    const char *fault = NULL;
    EVP_PKEY *public = token_public_from_numbers(alg, numbers, &fault);

    return key_from_public(alg, kid, public, fault, key, reason);
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
    if (signature.len == 0 || EVP_DigestVerifyInit_ex(key->scratch, &ctx, row->digest,
                                                      NULL, NULL, key->public, NULL) != 1)
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
    if (!key->public)
        return mac_holds(key, text, signature);
    if (public_holds(key, text, signature))
        return true;
    ERR_clear_error(); /* a refusal is nobody's error to find later */
    return false;
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

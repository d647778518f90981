/*
 * Keys and tokens as an issuer, or a forger, would make them: OpenSSL straight, none of
 * the code under test. A test program includes it once.
 */
#ifndef TESTS_SUPPORT_TOKEN_FORGE_H
#define TESTS_SUPPORT_TOKEN_FORGE_H

#include "bridge/token_alg.h"
#include "proto/ident.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORGE_TOKEN_BYTES = 16384,
    FORGE_SIGNATURE_BYTES = 1100,
    FORGE_KEY_BYTES = 4096
};

/* Gives a key pair (EVP_PKEY_free) for an asymmetric algorithm. */
__attribute__((unused)) static EVP_PKEY *forge_key(enum token_alg alg)
{
    const struct token_alg_row *row = token_alg_row(alg);

    switch (row->family) {
    case TOKEN_FAMILY_EC: return EVP_EC_gen(row->curve);
    case TOKEN_FAMILY_ED25519: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    default: return EVP_RSA_gen(2048);
    }
}

__attribute__((unused)) static size_t forge_pem(EVP_PKEY *key, char out[FORGE_KEY_BYTES])
{
    BIO *bio = BIO_new(BIO_s_mem());
    int len = 0;

    if (PEM_write_bio_PUBKEY(bio, key))
        len = BIO_read(bio, out, FORGE_KEY_BYTES - 1);
    out[len] = '\0';
    BIO_free(bio);
    return (size_t)len;
}

__attribute__((unused)) static size_t forge_der(EVP_PKEY *key,
                                                unsigned char out[FORGE_KEY_BYTES])
{
    return (size_t)i2d_PUBKEY(key, &out);
}

/* `"name":"base64url"` of one number, `len` bytes long; 0: as long as it is. */
__attribute__((unused)) static void forge_jwk_number(EVP_PKEY *key, const char *param,
                                                     const char *name, int len, char *out)
{
    unsigned char bytes[1024];
    BIGNUM *number = NULL;

    EVP_PKEY_get_bn_param(key, param, &number);
    if (len == 0)
        len = BN_num_bytes(number);
    BN_bn2binpad(number, bytes, len);
    BN_free(number);
    out += sprintf(out, ",\"%s\":\"", name);
    out += ident_base64url_encode(bytes, (size_t)len, out);
    strcpy(out, "\"");
}

/* The members of a JWK that make the key: `"kty":…` and numbers, without braces. */
__attribute__((unused)) static void forge_jwk(EVP_PKEY *key, enum token_alg alg,
                                              char out[FORGE_KEY_BYTES])
{
    const struct token_alg_row *row = token_alg_row(alg);
    int half = (int)row->signature_bytes / 2;
    unsigned char raw[32];
    size_t len = sizeof raw;

    if (row->family == TOKEN_FAMILY_EC) {
        out += sprintf(out, "\"kty\":\"EC\",\"crv\":\"%s\"", row->jwk_curve);
        forge_jwk_number(key, OSSL_PKEY_PARAM_EC_PUB_X, "x", half, out);
        forge_jwk_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", half, out + strlen(out));
    } else if (row->family == TOKEN_FAMILY_ED25519) {
        EVP_PKEY_get_raw_public_key(key, raw, &len);
        out += sprintf(out, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
        out += ident_base64url_encode(raw, len, out);
        strcpy(out, "\"");
    } else {
        out += sprintf(out, "\"kty\":\"RSA\"");
        forge_jwk_number(key, OSSL_PKEY_PARAM_RSA_N, "n", 0, out);
        forge_jwk_number(key, OSSL_PKEY_PARAM_RSA_E, "e", 0, out + strlen(out));
    }
}

/* DER to r||s. */
__attribute__((unused)) static size_t forge_raw(const unsigned char *der, size_t len,
                                                size_t wanted, unsigned char *out)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);

    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)wanted / 2);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + wanted / 2, (int)wanted / 2);
    ECDSA_SIG_free(signature);
    return wanted;
}

/* What EVP gives: for EC that is DER. `salt` is for PSS: RSA_PSS_SALTLEN_… or bytes. */
__attribute__((unused)) static size_t
forge_sign_evp(EVP_PKEY *key, enum token_alg alg, int salt, const char *text,
               unsigned char out[FORGE_SIGNATURE_BYTES])
{
    const struct token_alg_row *row = token_alg_row(alg);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    size_t len = FORGE_SIGNATURE_BYTES;

    if (!EVP_DigestSignInit_ex(ctx, &options, row->digest, NULL, NULL, key, NULL))
        abort();
    if (row->family == TOKEN_FAMILY_RSA_PSS) {
        EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt);
    }
    if (!EVP_DigestSign(ctx, out, &len, (const unsigned char *)text, strlen(text)))
        abort();
    EVP_MD_CTX_free(ctx);
    return len;
}

/* As a JWS has it. */
__attribute__((unused)) static size_t forge_sign(EVP_PKEY *key, enum token_alg alg,
                                                 const char *text,
                                                 unsigned char out[FORGE_SIGNATURE_BYTES])
{
    const struct token_alg_row *row = token_alg_row(alg);
    unsigned char der[FORGE_SIGNATURE_BYTES];

    if (row->family != TOKEN_FAMILY_EC)
        return forge_sign_evp(key, alg, RSA_PSS_SALTLEN_DIGEST, text, out);
    return forge_raw(der, forge_sign_evp(key, alg, 0, text, der), row->signature_bytes,
                     out);
}

__attribute__((unused)) static size_t forge_hmac(const void *secret, size_t secret_len,
                                                 enum token_alg alg, const char *text,
                                                 unsigned char out[FORGE_SIGNATURE_BYTES])
{
    unsigned len = 0;

    HMAC(EVP_get_digestbyname(token_alg_row(alg)->digest), secret, (int)secret_len,
         (const unsigned char *)text, strlen(text), out, &len);
    return len;
}

/* header.payload, terminated; gives its length. */
__attribute__((unused)) static size_t forge_text(const char *header, const char *payload,
                                                 char out[FORGE_TOKEN_BYTES])
{
    size_t len = ident_base64url_encode(header, strlen(header), out);

    out[len++] = '.';
    return len + ident_base64url_encode(payload, strlen(payload), out + len);
}

/* Appends ".signature". */
__attribute__((unused)) static void
forge_close(char token[FORGE_TOKEN_BYTES], const unsigned char *signature, size_t len)
{
    size_t at = strlen(token);

    token[at++] = '.';
    ident_base64url_encode(signature, len, token + at);
}

/* The whole token, signed well. */
__attribute__((unused)) static void forge_token(char token[FORGE_TOKEN_BYTES],
                                                EVP_PKEY *key, enum token_alg alg,
                                                const char *header, const char *payload)
{
    unsigned char signature[FORGE_SIGNATURE_BYTES];

    forge_text(header, payload, token);
    forge_close(token, signature, forge_sign(key, alg, token, signature));
}

#endif

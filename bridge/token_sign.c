/* Signing by OpenSSL: see the header. */
#include "bridge/token_sign.h"

#include "bridge/token_public.h"
#include "proto/ident.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIGNATURE_BYTES = TOKEN_SIGNATURE_MAX_BYTES
};

/* Gives a key (EVP_PKEY_free), or NULL. */
static EVP_PKEY *read_private(enum token_alg alg, struct slice pem, const char **reason)
{
    /* A passphrase is never asked for: this may run without a terminal. */
    char passphrase[] = "";
    BIO *bio = BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, passphrase) : NULL;

    BIO_free(bio);
    *reason =
        key ? token_public_fault(key, alg) : "is no PEM private key without a passphrase";
    if (!*reason)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* DER to r||s (RFC 7518 §3.4). */
static size_t ec_raw(unsigned char *signature, size_t len, size_t wanted)
{
    const unsigned char *der = signature;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)len);
    int half = (int)(wanted / 2);
    bool is_done = parsed &&
                   BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, half) > 0 &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + half, half) > 0;

    ECDSA_SIG_free(parsed);
    return is_done ? wanted : 0;
}

/* 0: the library would not. */
static size_t sign(EVP_PKEY *key, enum token_alg alg, struct slice text,
                   unsigned char out[SIGNATURE_BYTES])
{
    const struct token_alg_row *row = token_alg_row(alg);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    size_t len = SIGNATURE_BYTES;
    bool is_signed =
        ctx &&
        EVP_DigestSignInit_ex(ctx, &options, row->digest, NULL, NULL, key, NULL) == 1 &&
        (row->family != TOKEN_FAMILY_RSA_PSS ||
         (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0)) &&
        EVP_DigestSign(ctx, out, &len, (const unsigned char *)text.ptr, text.len);

    EVP_MD_CTX_free(ctx);
    if (!is_signed)
        return 0;
    return row->family == TOKEN_FAMILY_EC ? ec_raw(out, len, row->signature_bytes) : len;
}

static void add_base64url(struct buf *out, struct slice bytes)
{
    char *text = buf_reserve(out, IDENT_BASE64URL_CHARS(bytes.len) + 1);

    if (text)
        buf_grew(out, ident_base64url_encode(bytes.ptr, bytes.len, text));
}

static void add_json(struct buf *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    add_base64url(out, slice_of(text));
    free(text);
}

static void add_signed_text(struct buf *out, enum token_alg alg, struct slice kid,
                            const json_t *claims)
{
    json_t *header =
        json_pack("{s:s, s:s}", "alg", token_alg_row(alg)->name, "typ", "JWT");

    if (kid.len > 0)
        json_object_set_new(header, "kid", json_stringn(kid.ptr, kid.len));
    add_json(out, header);
    buf_add_byte(out, '.');
    add_json(out, claims);
    json_decref(header);
}

enum status token_sign(enum token_alg alg, struct slice kid, struct slice pem,
                       const json_t *claims, struct buf *out, const char **reason)
{
    struct buf token = {.max = LIMIT_TOKEN_BYTES + 1}; /* a terminator passes by */
    unsigned char signature[SIGNATURE_BYTES];

    *reason = "has a kid that is not 1 to 64 of [A-Za-z0-9._-]";
    EVP_PKEY *key =
        kid.len == 0 || token_kid_is_valid(kid) ? read_private(alg, pem, reason) : NULL;
    if (!key)
        return ST_BAD_REQUEST;

    add_signed_text(&token, alg, kid, claims);
    size_t len = sign(key, alg, buf_slice(&token), signature);
    EVP_PKEY_free(key);
    buf_add_byte(&token, '.');
    add_base64url(&token, (struct slice){(char *)signature, len});
    enum status st = len > 0 ? buf_status(&token) : ST_INTERNAL;
    if (!st && token.len > LIMIT_TOKEN_BYTES)
        st = ST_TOO_LARGE;
    if (!st) {
        buf_add(out, buf_slice(&token));
        st = buf_status(out);
    }
    buf_finish(&token);
    return st;
}

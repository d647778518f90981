#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/token.h"
#include "bridge/token_sign.h"
#include "support/token_forge.h"

static void private_pem(EVP_PKEY *pair, const EVP_CIPHER *cipher,
                        char out[FORGE_KEY_BYTES])
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio_PrivateKey(bio, pair, cipher, (const unsigned char *)"x", 1,
                                         NULL, NULL));
    out[BIO_read(bio, out, FORGE_KEY_BYTES - 1)] = '\0';
    BIO_free(bio);
}

static void a_signed_token_is_verified_with_each_algorithm(void **state)
{
    json_t *json = json_pack("{s:s, s:i}", "sub", "42", "exp", 2000);

    (void)state;
    for (int i = TOKEN_RS256; i < TOKEN_ALG_COUNT; i++) {
        enum token_alg alg = (enum token_alg)i;
        EVP_PKEY *pair = forge_key(alg);
        struct token_keys *keys = token_keys_create();
        struct buf token = {.max = LIMIT_TOKEN_BYTES};
        struct claims *claims = NULL;
        struct token_key *key = NULL;
        char pem[FORGE_KEY_BYTES], hint[160];
        const char *reason;

        forge_pem(pair, pem);
        assert_int_equal(
            token_key_from_pem(alg, SLICE("k"), slice_of(pem), &key, &reason), ST_OK);
        assert_int_equal(token_keys_put(keys, key), ST_OK);
        private_pem(pair, NULL, pem);
        assert_int_equal(
            token_sign(alg, SLICE("k"), slice_of(pem), json, &token, &reason), ST_OK);
        assert_int_equal(
            token_verify(keys, buf_slice(&token), CLAIMS_CLIENT, 1000, &claims, hint),
            REFUSAL_NONE);
        assert_true(slice_is(claims_user(claims), "42"));
        claims_drop(claims);
        buf_finish(&token);
        token_keys_destroy(keys);
        EVP_PKEY_free(pair);
    }
    json_decref(json);
}

static void keys_that_cannot_sign_are_refused(void **state)
{
    EVP_PKEY *pair = EVP_EC_gen("prime256v1");
    json_t *json = json_object();
    char public[FORGE_KEY_BYTES], private[FORGE_KEY_BYTES], locked[FORGE_KEY_BYTES];

    (void)state;
    forge_pem(pair, public);
    private_pem(pair, NULL, private);
    private_pem(pair, EVP_aes_128_cbc(), locked);
    const struct {
        enum token_alg alg;
        const char *kid, *pem, *why;
    } rows[] = {
        {TOKEN_ES256, "k",   public,  "no PEM private key"},
        {TOKEN_ES256, "k",   locked,  "passphrase"        },
        {TOKEN_ES256, "k",   "",      "no PEM private key"},
        {TOKEN_ES256, "a/b", private, "kid"               },
        {TOKEN_ES384, "k",   private, "another curve"     },
        {TOKEN_RS256, "k",   private, "no RSA key"        },
        {TOKEN_HS256, "k",   private, "wants a secret"    },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf token = {.max = LIMIT_TOKEN_BYTES};
        const char *reason = "";
        assert_int_equal(token_sign(rows[i].alg, slice_of(rows[i].kid),
                                    slice_of(rows[i].pem), json, &token, &reason),
                         ST_BAD_REQUEST);
        assert_non_null(strstr(reason, rows[i].why));
        assert_int_equal(token.len, 0);
        buf_finish(&token);
    }
    json_decref(json);
    EVP_PKEY_free(pair);
}

static void what_no_listener_would_take_is_not_signed(void **state)
{
    EVP_PKEY *pair = EVP_EC_gen("prime256v1");
    struct buf token = {.max = 2 * LIMIT_TOKEN_BYTES};
    char pem[FORGE_KEY_BYTES], blob[LIMIT_TOKEN_BYTES];
    const char *reason;

    (void)state;
    private_pem(pair, NULL, pem);
    memset(blob, 'x', sizeof blob - 1);
    blob[sizeof blob - 1] = '\0';
    json_t *json = json_pack("{s:s}", "blob", blob);
    assert_int_equal(
        token_sign(TOKEN_ES256, SLICE(""), slice_of(pem), json, &token, &reason),
        ST_TOO_LARGE);
    assert_int_equal(token.len, 0);
    json_decref(json);
    buf_finish(&token);
    EVP_PKEY_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_token_is_verified_with_each_algorithm),
        cmocka_unit_test(keys_that_cannot_sign_are_refused),
        cmocka_unit_test(what_no_listener_would_take_is_not_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

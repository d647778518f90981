#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/token.h"
#include "bridge/token_secret.h"
#include "support/token_forge.h"

static void samples_and_short_secrets_are_refused(void **state)
{
    static const struct {
        const char *secret, *fault; /* NULL: fit */
    } rows[] = {
        {"",                                                                 "32 bytes"      },
        {"0123456789abcdef0123456789abcde",                                  "32 bytes"      },
        {"secretsecretsecretsecretsecretsecret",                             "few characters"},
        {"secret00000000000000000000000000",                                 "sample"        },
        {"changemechangemechangemechangeme",                                 "sample"        },
        {"Change-Me-Please-This-Is-A-Secret-Key",                            "sample"        },
        {"your-256-bit-secret-your-256-bit-secret",                          "sample"        },
        {"a-string-secret-at-least-256-bits-long",                           "sample"        },
        {"my_super_secret_jwt_signing_key_12345678",                         "sample"        },
        {"passwordpasswordpasswordpassword",                                 "sample"        },
        {"01234567890123456789012345678901",                                 "sample"        },
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",                     "few characters"},
        {"abababababababababababababababababababab",                         "few characters"},
        {"mG7vq2Yt0bXwP9sKzR4hLdC8eJfN1uAo5",                                NULL            },
        {"5f1d7a84c6e94b0fa7d2c3b18e6054f95f1d7a84c6e94b0fa7d2c3b18e6054f9", NULL            },
        {"correct horse battery staple, and a number: 7261",                 NULL            },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fault = token_secret_fault(slice_of(rows[i].secret));
        if (!rows[i].fault)
            assert_null(fault);
        else if (!fault || !strstr(fault, rows[i].fault))
            fail_msg("\"%s\": %s", rows[i].secret, fault ? fault : "taken");
    }
}

static void assert_is_key_material(const char *bytes, size_t len)
{
    const char *fault = token_secret_fault((struct slice){bytes, len});

    assert_non_null(fault);
    assert_non_null(strstr(fault, "key of another kind"));
}

/* J1: who knows the public key could sign with it. */
static void key_material_is_no_secret_in_any_clothes(void **state)
{
    static const enum token_alg algs[] = {TOKEN_RS256, TOKEN_ES256, TOKEN_ES512,
                                          TOKEN_EDDSA};

    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        EVP_PKEY *pair = forge_key(algs[i]);
        char pem[FORGE_KEY_BYTES], text[FORGE_KEY_BYTES + 16];
        unsigned char der[FORGE_KEY_BYTES];
        size_t len = forge_pem(pair, pem);

        assert_is_key_material(pem, len);
        snprintf(text, sizeof text, "\n\t %s\n", pem); /* nearform/fast-jwt#589 */
        assert_is_key_material(text, strlen(text));
        snprintf(text, sizeof text, "%s", strchr(pem, '\n') + 1); /* no armour */
        *strstr(text, "-----END") = '\0';
        assert_is_key_material(text, strlen(text));

        len = forge_der(pair, der);
        assert_is_key_material((char *)der, len);
        memcpy(text, " \n", 2);
        memcpy(text + 2, der, len);
        assert_is_key_material(text, len + 2);

        text[0] = '{';
        forge_jwk(pair, algs[i], text + 1);
        strcat(text, "}");
        assert_is_key_material(text, strlen(text));
        EVP_PKEY_free(pair);
    }
}

static enum status add_pem(enum token_alg alg, EVP_PKEY *pair, const char **reason)
{
    char pem[FORGE_KEY_BYTES];
    struct token_key *key = NULL;

    forge_pem(pair, pem);
    enum status st = token_key_from_pem(alg, SLICE("k"), slice_of(pem), &key, reason);
    token_key_destroy(key);
    EVP_PKEY_free(pair);
    return st;
}

static void a_key_must_fit_its_algorithm(void **state)
{
    const struct {
        enum token_alg alg;
        EVP_PKEY *pair;
        const char *reason; /* NULL: fits */
    } rows[] = {
        {TOKEN_RS256, EVP_RSA_gen(2048),        NULL                },
        {TOKEN_PS512, EVP_RSA_gen(2048),        NULL                },
        {TOKEN_RS256, EVP_RSA_gen(1024),        "2048 bits"         },
        {TOKEN_PS256, EVP_RSA_gen(1024),        "2048 bits"         },
        {TOKEN_RS256, EVP_EC_gen("prime256v1"), "no RSA key"        },
        {TOKEN_ES256, EVP_EC_gen("prime256v1"), NULL                },
        {TOKEN_ES256, EVP_EC_gen("secp384r1"),  "another curve"     },
        {TOKEN_ES384, EVP_EC_gen("prime256v1"), "another curve"     },
        {TOKEN_ES256, EVP_EC_gen("secp256k1"),  "another curve"     },
        {TOKEN_ES256, EVP_RSA_gen(2048),        "no EC key"         },
        {TOKEN_EDDSA, EVP_PKEY_Q_keygen(NULL,   NULL,                 "ED25519"), NULL},
        {TOKEN_EDDSA,       EVP_PKEY_Q_keygen(NULL,                               NULL,                                         "ED448"), "no Ed25519"},
        {TOKEN_HS256,       EVP_RSA_gen(2048),"wants a secret"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *reason = NULL;
        enum status st = add_pem(rows[i].alg, rows[i].pair, &reason);
        assert_int_equal(st, rows[i].reason ? ST_BAD_REQUEST : ST_OK);
        if (rows[i].reason && !strstr(reason, rows[i].reason))
            fail_msg("row %zu: %s", i, reason);
    }
}

static void texts_that_are_no_public_keys_are_refused(void **state)
{
    static const char *const bad[] = {"", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n",
                                      "-----BEGIN CERTIFICATE-----\n"};
    struct token_key *key = NULL;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            token_key_from_pem(TOKEN_RS256, SLICE("k"), slice_of(bad[i]), &key, &reason),
            ST_BAD_REQUEST);
        assert_null(key);
    }
}

/* What replaces a set takes its keys, its rules and all it had verified. */
static void a_replaced_set_forgets_the_old_one(void **state)
{
    struct token_keys *keys = token_keys_create(), *fresh = token_keys_create();
    struct buf token = {.max = LIMIT_TOKEN_BYTES};
    json_t *json = json_pack("{s:s, s:i}", "sub", "a", "exp", 2000);
    struct claims *claims = NULL;
    char hint[160];

    (void)state;
    assert_int_equal(token_keys_add(keys, TOKEN_HS256, SLICE("a"),
                                    SLICE("mG7vq2Yt0bXwP9sKzR4hLdC8eJfN1uAo5")),
                     ST_OK);
    assert_int_equal(token_keys_add(fresh, TOKEN_HS256, SLICE("b"),
                                    SLICE("QG7vq2Yt0bXwP9sKzR4hLdC8eJfN1uAo5")),
                     ST_OK);
    assert_int_equal(token_mint(keys, SLICE("a"), json, &token), ST_OK);
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(
            token_verify(keys, buf_slice(&token), CLAIMS_CLIENT, 1000, &claims, hint),
            REFUSAL_NONE);
        claims_drop(claims);
    }
    token_keys_replace(keys, fresh);
    assert_int_equal(
        token_verify(keys, buf_slice(&token), CLAIMS_CLIENT, 1000, &claims, hint),
        REFUSAL_INVALID);
    assert_null(claims);
    assert_non_null(token_keys_find(keys, SLICE("b")));
    token_keys_destroy(keys);
    buf_finish(&token);
    json_decref(json);
}

/* Another key of the same server asks the same of tokens. */
static void what_is_asked_of_tokens_outlives_the_keys(void **state)
{
    const struct claims_rules rules = {.leeway_s = 3};
    struct token_keys *keys = token_keys_create(), *fresh = token_keys_create();

    (void)state;
    token_keys_need_no_sub(keys, true);
    assert_int_equal(token_keys_set_rules(fresh, &rules), ST_OK);
    token_keys_replace(keys, fresh);
    assert_int_equal(token_keys_rules(keys)->leeway_s, 3);
    assert_true(token_keys_rules(keys)->needs_no_sub);
    token_keys_destroy(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_and_short_secrets_are_refused),
        cmocka_unit_test(key_material_is_no_secret_in_any_clothes),
        cmocka_unit_test(a_key_must_fit_its_algorithm),
        cmocka_unit_test(texts_that_are_no_public_keys_are_refused),
        cmocka_unit_test(what_is_asked_of_tokens_outlives_the_keys),
        cmocka_unit_test(a_replaced_set_forgets_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/token.h"
#include "bridge/token_jwks.h"
#include "support/token_forge.h"

#define ONES16 "________________"
#define ONES64 ONES16 ONES16 ONES16 ONES16
#define N2048 ONES64 ONES64 ONES64 ONES64 ONES64 ONES16 "_____w" /* 256 bytes */
#define K32 "hIOCgYB_fn18e3p5eHd2dXRzcnFwb25tbGtqaWhnZmU"        /* 32 bytes */

/* The first skip that was told. */
struct skips {
    size_t count, index;
    char kid[80], why[160];
};

static void on_skip(void *ctx, size_t index, struct slice kid, const char *why)
{
    struct skips *skips = ctx;

    if (skips->count++ > 0)
        return;
    skips->index = index;
    snprintf(skips->kid, sizeof skips->kid, "%.*s", (int)kid.len, kid.ptr ? kid.ptr : "");
    snprintf(skips->why, sizeof skips->why, "%s", why);
}

/* A key set of one entry, its members without braces. */
static enum status add_entry(const char *entry, unsigned algs, struct token_keys **keys,
                             struct skips *skips)
{
    char text[FORGE_KEY_BYTES + 512];
    const char *reason;

    *keys = token_keys_create();
    *skips = (struct skips){0};
    snprintf(text, sizeof text, "{\"keys\":[{%s}]}", entry);
    return token_jwks_add(*keys, slice_of(text), algs, on_skip, skips, &reason);
}

static void keys_of_every_kind_verify_what_they_signed(void **state)
{
    char jwk[FORGE_KEY_BYTES], entry[FORGE_KEY_BYTES + 100], text[] = "some.text";
    unsigned char signature[FORGE_SIGNATURE_BYTES];

    (void)state;
    for (int i = TOKEN_RS256; i < TOKEN_ALG_COUNT; i++) {
        enum token_alg alg = (enum token_alg)i;
        EVP_PKEY *pair = forge_key(alg);
        struct token_keys *keys;
        struct skips skips;

        forge_jwk(pair, alg, jwk);
        snprintf(entry, sizeof entry, "\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"%s\",%s",
                 token_alg_row(alg)->name, jwk);
        assert_int_equal(add_entry(entry, TOKEN_ALGS_ALL, &keys, &skips), ST_OK);
        const struct token_key *key = token_keys_find(keys, SLICE("k"));
        assert_non_null(key);
        assert_int_equal(token_key_alg(key), alg);
        size_t len = forge_sign(pair, alg, text, signature);
        assert_true(token_key_signed(key, slice_of(text),
                                     (struct slice){(char *)signature, len}));
        signature[len / 2] ^= 1;
        assert_false(token_key_signed(key, slice_of(text),
                                      (struct slice){(char *)signature, len}));
        token_keys_destroy(keys);
        EVP_PKEY_free(pair);
    }
}

static void a_key_without_alg_is_good_for_one(void **state)
{
    static const enum token_alg algs[] = {TOKEN_RS256, TOKEN_ES256, TOKEN_ES384,
                                          TOKEN_ES512, TOKEN_EDDSA};

    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        EVP_PKEY *pair = forge_key(algs[i]);
        char jwk[FORGE_KEY_BYTES];
        struct token_keys *keys;
        struct skips skips;

        forge_jwk(pair, algs[i], jwk);
        assert_int_equal(add_entry(jwk, TOKEN_ALGS_ALL, &keys, &skips), ST_OK);
        assert_int_equal(token_key_alg(token_keys_find(keys, SLICE(""))), algs[i]);
        token_keys_destroy(keys);
        EVP_PKEY_free(pair);
    }
}

/* clang-format off: a table. */
static const struct {
    const char *entry, *why;
} unusable[] = {
    {"\"kty\":\"oct\",\"k\":\"" K32 "\"",                                          "(alg)"    },
    {"\"kty\":\"oct\",\"alg\":\"none\",\"k\":\"" K32 "\"",                         "(alg)"    },
    {"\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\"" K32 "\"",                        "secret"   },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"c2hvcnQ\"",                        "32 bytes" },
    {"\"kty\":\"oct\",\"alg\":\"HS256\"",                                          "numbers"  },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" K32 "==\"",                      "numbers"  },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"use\":\"enc\",\"k\":\"" K32 "\"",        "use"      },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"use\":7,\"k\":\"" K32 "\"",              "use"      },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"key_ops\":[\"sign\"],\"k\":\"" K32 "\"",
     "key_ops"                                                                                },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"../x\",\"k\":\"" K32 "\"",       "kid"      },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":7,\"k\":\"" K32 "\"",              "kid"      },
    {"\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"\",\"k\":\"" K32 "\"",           "kid"      },
    {"\"kty\":\"RSA\",\"alg\":\"HS256\",\"n\":\"AQAB\",\"e\":\"AQAB\"",
     "wants a secret|numbers"                                                                 },
    {"\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"",                              "2048 bits"},
    {"\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"",               "private"  },
    {"\"kty\":\"RSA\",\"n\":\"AQAB\"",                                             "numbers"  },
    {"\"kty\":\"RSA\",\"n\":\"" N2048 "\",\"e\":\"AQ\"",                           "exponent" },
    {"\"kty\":\"RSA\",\"n\":\"" N2048 "\",\"e\":\"Ag\"",                           "exponent" },
    {"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"",             "numbers"  },
    {"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
     "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"",                 "numbers"  }, /* no point */
    {"\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AQAB\",\"y\":\"AQAB\"",         "kty, crv" },
    {"\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AQAB\"",                          "kty, crv" },
    {"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"",                         "numbers"  },
    {"\"kty\":\"quantum\"",                                                        "kty, crv" },
    {"\"n\":\"AQAB\"",                                                             "kty, crv" },
};
/* clang-format on */

static void what_cannot_be_used_is_skipped_and_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        char why[40];
        struct token_keys *keys;
        struct skips skips;

        assert_int_equal(add_entry(unusable[i].entry, TOKEN_ALGS_ALL, &keys, &skips),
                         ST_BAD_PAYLOAD);
        assert_int_equal(skips.count, 1);
        snprintf(why, sizeof why, "%.*s", (int)strcspn(unusable[i].why, "|"),
                 unusable[i].why);
        const char *other = strchr(unusable[i].why, '|');
        if (!strstr(skips.why, why) && !(other && strstr(skips.why, other + 1)))
            fail_msg("row %zu: \"%s\", wanted \"%s\"", i, skips.why, unusable[i].why);
        assert_int_equal(token_keys_count(keys), 0);
        token_keys_destroy(keys);
    }
}

static void good_entries_count_beside_bad_ones(void **state)
{
    static const char text[] =
        "{\"keys\":[1,{\"kty\":\"RSA\",\"kid\":\"bad\"},"
        "{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"a\",\"k\":\"" K32 "\"},"
        "{\"kty\":\"oct\",\"alg\":\"HS512\",\"kid\":\"a\",\"k\":\"" K32 "\"}],\"x\":1}";
    struct token_keys *keys = token_keys_create();
    struct skips skips = {0};
    const char *reason;

    (void)state;
    assert_int_equal(
        token_jwks_add(keys, SLICE(text), TOKEN_ALGS_ALL, on_skip, &skips, &reason),
        ST_OK);
    assert_int_equal(token_keys_count(keys), 1);
    assert_int_equal(token_key_alg(token_keys_find(keys, SLICE("a"))), TOKEN_HS256);
    assert_int_equal(skips.count, 3);
    token_keys_destroy(keys);
}

static void of_two_keys_without_kid_the_first_is_taken(void **state)
{
    static const char text[] =
        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" K32
        "\"},{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"" K32 "\"}]}";
    struct token_keys *keys = token_keys_create();
    struct skips skips = {0};
    const char *reason;

    (void)state;
    assert_int_equal(
        token_jwks_add(keys, SLICE(text), TOKEN_ALGS_ALL, on_skip, &skips, &reason),
        ST_OK);
    assert_int_equal(token_key_alg(token_keys_find(keys, SLICE(""))), TOKEN_HS256);
    assert_int_equal(skips.index, 1);
    assert_non_null(strstr(skips.why, "has no kid"));
    token_keys_destroy(keys);
}

static void more_keys_than_a_set_may_have_are_skipped(void **state)
{
    struct buf text = {.max = 65536};
    struct token_keys *keys = token_keys_create();
    struct skips skips = {0};
    const char *reason;

    (void)state;
    buf_add_text(&text, "{\"keys\":[");
    for (int i = 0; i <= TOKEN_KEYS_MAX; i++)
        buf_print(&text,
                  "%s{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"k%d\",\"k\":\"" K32
                  "\"}",
                  i > 0 ? "," : "", i);
    buf_add_text(&text, "]}");
    assert_int_equal(
        token_jwks_add(keys, buf_slice(&text), TOKEN_ALGS_ALL, on_skip, &skips, &reason),
        ST_OK);
    assert_int_equal(token_keys_count(keys), TOKEN_KEYS_MAX);
    assert_int_equal(skips.count, 1);
    assert_int_equal(skips.index, TOKEN_KEYS_MAX);
    assert_non_null(strstr(skips.why, "one too many"));
    buf_finish(&text);
    token_keys_destroy(keys);
}

static void algorithms_that_are_not_listed_are_skipped(void **state)
{
    struct token_keys *keys;
    struct skips skips;

    (void)state;
    assert_int_equal(add_entry("\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" K32 "\"",
                               TOKEN_ALG_BIT(TOKEN_RS256), &keys, &skips),
                     ST_BAD_PAYLOAD);
    assert_non_null(strstr(skips.why, "auth.jwt.algorithms"));
    token_keys_destroy(keys);
}

static void texts_that_are_no_key_sets_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } rows[] = {
        {"",                          ST_BAD_PAYLOAD},
        {"[]",                        ST_BAD_PAYLOAD},
        {"{}",                        ST_BAD_PAYLOAD},
        {"{\"keys\":{}}",             ST_BAD_PAYLOAD},
        {"{\"keys\":[1]}",            ST_BAD_PAYLOAD},
        {"{\"keys\":[]} x",           ST_BAD_PAYLOAD},
        {"{\"keys\":[],\"keys\":[]}", ST_BAD_PAYLOAD},
        {"{\"keys\":[]}",             ST_OK         }, /* nobody may come */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct token_keys *keys = token_keys_create();
        const char *reason;
        assert_int_equal(token_jwks_add(keys, slice_of(rows[i].text), TOKEN_ALGS_ALL,
                                        NULL, NULL, &reason),
                         rows[i].status);
        token_keys_destroy(keys);
    }
}

static void every_prefix_is_refused(void **state)
{
    static const char text[] =
        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" K32 "\"}]}";
    const char *reason;

    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        struct token_keys *keys = token_keys_create();
        enum status st = token_jwks_add(keys, (struct slice){text, n}, TOKEN_ALGS_ALL,
                                        NULL, NULL, &reason);
        assert_int_equal(st, n == sizeof text - 1 ? ST_OK : ST_BAD_PAYLOAD);
        token_keys_destroy(keys);
        if (n == sizeof text - 1)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_kind_verify_what_they_signed),
        cmocka_unit_test(a_key_without_alg_is_good_for_one),
        cmocka_unit_test(what_cannot_be_used_is_skipped_and_told),
        cmocka_unit_test(good_entries_count_beside_bad_ones),
        cmocka_unit_test(of_two_keys_without_kid_the_first_is_taken),
        cmocka_unit_test(more_keys_than_a_set_may_have_are_skipped),
        cmocka_unit_test(algorithms_that_are_not_listed_are_skipped),
        cmocka_unit_test(texts_that_are_no_key_sets_are_refused),
        cmocka_unit_test(every_prefix_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

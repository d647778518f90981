#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/digest.h"
#include "bridge/token.h"
#include "proto/ident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define LONG_SECRET                                                                      \
    "a secret of more than sixty-four bytes, as long as HS512's own digest is, or more"
#define NOW 1700000000
#define GOOD "{\"sub\":\"42\",\"exp\":1700000600}"
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

/* RFC 2104 with a key of one block or less: what a forger has. */
static void hmac(const char *secret, const char *text, unsigned char out[32])
{
    unsigned char key[64] = {0}, inner[64 + 8192], outer[64 + 32];
    size_t len = strlen(text);

    assert_true(strlen(secret) <= sizeof key && len <= 8192);
    memcpy(key, secret, strlen(secret));
    for (size_t i = 0; i < 64; i++) {
        inner[i] = key[i] ^ 0x36;
        outer[i] = key[i] ^ 0x5c;
    }
    memcpy(inner + 64, text, len);
    digest_sha256((struct slice){(char *)inner, 64 + len}, outer + 64);
    digest_sha256((struct slice){(char *)outer, sizeof outer}, out);
}

/* Any header and payload, signed with HMAC-SHA256 whatever the header says. */
static void forge(char out[8192], const char *secret, const char *header,
                  const char *payload)
{
    unsigned char mac[32];
    size_t len = ident_base64url_encode(header, strlen(header), out);

    out[len++] = '.';
    len += ident_base64url_encode(payload, strlen(payload), out + len);
    hmac(secret, out, mac);
    out[len++] = '.';
    ident_base64url_encode(mac, sizeof mac, out + len);
}

static struct token_keys *one_key(void)
{
    struct token_keys *keys = token_keys_create();

    assert_non_null(keys);
    assert_int_equal(token_keys_add(keys, TOKEN_HS256, SLICE(""), SLICE(SECRET)), ST_OK);
    return keys;
}

static enum refusal verify(const struct token_keys *keys, const char *token,
                           enum claims_use use)
{
    struct claims *claims = NULL;
    char hint[160];
    enum refusal refusal = token_verify(keys, slice_of(token), use, NOW, &claims, hint);

    if (refusal == REFUSAL_NONE)
        assert_non_null(claims);
    else
        assert_true(hint[0] != '\0');
    claims_drop(claims);
    return refusal;
}

static void a_minted_token_is_verified_with_each_algorithm(void **state)
{
    (void)state;
    for (int alg = TOKEN_HS256; alg <= TOKEN_HS512; alg++) {
        struct token_keys *keys = token_keys_create();
        struct buf text = {.max = LIMIT_TOKEN_BYTES};
        json_t *json = json_pack("{s:s, s:I, s:[s]}", "sub", "42", "exp",
                                 (json_int_t)NOW + 60, "rooms", "project:*");
        struct claims *claims = NULL;
        char hint[160];

        assert_int_equal(
            token_keys_add(keys, (enum token_alg)alg, SLICE("k1"), SLICE(LONG_SECRET)),
            ST_OK);
        assert_int_equal(token_mint(keys, SLICE("k1"), json, &text), ST_OK);
        assert_int_equal(
            token_verify(keys, buf_slice(&text), CLAIMS_CLIENT, NOW, &claims, hint),
            REFUSAL_NONE);
        assert_true(slice_is(claims_user(claims), "42"));
        assert_int_equal(claims_expires_s(claims), NOW + 60);
        assert_int_equal(claims_room_count(claims), 1);

        claims_drop(claims);
        json_decref(json);
        buf_finish(&text);
        token_keys_destroy(keys);
    }
}

static void minting_needs_a_known_key(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    struct buf text = {.max = LIMIT_TOKEN_BYTES};
    json_t *json = json_pack("{s:s}", "sub", "42");

    assert_int_equal(token_mint(keys, SLICE("k9"), json, &text), ST_NOT_FOUND);
    assert_int_equal(text.len, 0);
    json_decref(json);
    buf_finish(&text);
    token_keys_destroy(keys);
}

static void minting_refuses_what_no_listener_would_take(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    struct buf text = {.max = 2 * LIMIT_TOKEN_BYTES};
    char blob[LIMIT_TOKEN_BYTES];
    json_t *json = NULL;

    memset(blob, 'x', sizeof blob - 1);
    blob[sizeof blob - 1] = '\0';
    json = json_pack("{s:s}", "blob", blob);
    assert_int_equal(token_mint(keys, SLICE(""), json, &text), ST_TOO_LARGE);
    json_decref(json);
    buf_finish(&text);
    token_keys_destroy(keys);
}

static void a_key_is_checked_when_it_is_added(void **state)
{
    (void)state;
    static const struct {
        const char *kid, *secret;
        enum status status;
    } rows[] = {
        {"",                                                                  "",                                ST_BAD_REQUEST}, /* J2: no key bytes would mean "do not verify" */
        {"",                                                                  "0123456789abcdef0123456789abcde", ST_BAD_REQUEST}, /* 31 */
        {"a b",                                                               SECRET,                            ST_BAD_REQUEST},
        {"a/b",                                                               SECRET,                            ST_BAD_REQUEST},
        {"0123456789012345678901234567890123456789012345678901234567890123x", SECRET,
         ST_BAD_REQUEST                                                                                                        },
        {"",                                                                  SECRET,                            ST_OK         },
        {"",                                                                  OTHER,                             ST_CONFLICT   },
        {"2026-01",                                                           OTHER,                             ST_OK         },
        {"2026-01",                                                           OTHER,                             ST_CONFLICT   },
    };
    struct token_keys *keys = token_keys_create();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(token_keys_add(keys, TOKEN_HS256, slice_of(rows[i].kid),
                                        slice_of(rows[i].secret)),
                         rows[i].status);
    token_keys_destroy(keys);
}

static void forged_and_odd_tokens_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *secret, *header, *payload;
        enum refusal refusal;
    } rows[] = {
        {SECRET, HS256,                                                        GOOD,                                                     REFUSAL_NONE   },
        {SECRET, "{\"alg\":\"HS256\"}",                                        GOOD,                                                     REFUSAL_NONE   },
        {OTHER,  HS256,                                                        GOOD,                                                     REFUSAL_INVALID},
        {"",     HS256,                                                        GOOD,                                                     REFUSAL_INVALID},
 /* the header never chooses: J1 */
        {SECRET, "{\"alg\":\"none\"}",                                         GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"None\"}",                                         GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS384\"}",                                        GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS512\"}",                                        GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"RS256\"}",                                        GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"hs256\"}",                                        GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256 \"}",                                       GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"\"}",                                             GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":null}",                                             GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":[\"HS256\"]}",                                      GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"typ\":\"JWT\"}",                                          GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"none\",\"alg\":\"HS256\"}",                       GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",                      GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"\\u0061lg\":\"HS256\"}",                                  GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"\\u0048S256\"}",                                  GOOD,                                                     REFUSAL_INVALID},
 /* extensions */
        {SECRET, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",                     GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"\\u0063rit\":[\"exp\"]}",               GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"b64\":false}",                          GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"b64\":true}",                           GOOD,                                                     REFUSAL_INVALID},
 /* key names */
        {SECRET, "{\"alg\":\"HS256\",\"kid\":\"other\"}",                      GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"kid\":\"\"}",                           GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"kid\":\"../../etc/passwd\"}",           GOOD,
         REFUSAL_INVALID                                                                                                                                },
        {SECRET, "{\"alg\":\"HS256\",\"kid\":7}",                              GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\",\"kid\":null}",                           GOOD,                                                     REFUSAL_INVALID},
 /* keys in the token itself are not looked at */
        {OTHER,  "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}", GOOD,
         REFUSAL_INVALID                                                                                                                                },
 /* shapes */
        {SECRET, "[]",                                                         GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "",                                                           GOOD,                                                     REFUSAL_INVALID},
        {SECRET, "{\"alg\":\"HS256\"",                                         GOOD,                                                     REFUSAL_INVALID},
        {SECRET, HS256,                                                        "",                                                       REFUSAL_INVALID},
        {SECRET, HS256,                                                        "[]",                                                     REFUSAL_INVALID},
        {SECRET, HS256,                                                        "{\"sub\":\"42\"",                                        REFUSAL_INVALID},
        {SECRET, HS256,                                                        "{\"sub\":\"1\",\"sub\":\"42\",\"exp\":1700000600}",
         REFUSAL_INVALID                                                                                                                                },
 /* times: J3 */
        {SECRET, HS256,                                                        "{\"sub\":\"42\",\"exp\":1699999999}",                    REFUSAL_EXPIRED},
        {SECRET, HS256,                                                        "{\"sub\":\"42\",\"exp\":\"123\"}",                       REFUSAL_INVALID},
        {SECRET, HS256,                                                        "{\"sub\":\"42\",\"exp\":true}",                          REFUSAL_INVALID},
        {SECRET, HS256,                                                        "{\"sub\":\"42\",\"exp\":1.5e8}",                         REFUSAL_INVALID},
        {SECRET, HS256,                                                        "{\"sub\":\"42\",\"exp\":1700000600,\"nbf\":1700000300}",
         REFUSAL_NOT_YET                                                                                                                                },
 /* audiences of other listeners: J4 */
        {SECRET, HS256,
         "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":\"sidecast:publish\"}",                                                             REFUSAL_INVALID},
        {SECRET, HS256,
         "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":[\"x\",\"sidecast:admin\"]}",                                                       REFUSAL_INVALID},
    };
    struct token_keys *keys = one_key();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char token[8192];
        forge(token, rows[i].secret, rows[i].header, rows[i].payload);
        enum refusal refusal = verify(keys, token, CLAIMS_CLIENT);
        if (refusal != rows[i].refusal)
            print_error("row %zu: %s\n", i, rows[i].header);
        assert_string_equal(refusal_reason(refusal), refusal_reason(rows[i].refusal));
    }
    token_keys_destroy(keys);
}

static void texts_that_are_no_tokens_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.",
        ".b.c",
        "a..c",
        "a.b.c.d",
        "a.b.c.d.e",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiJ9.e30.====",
        " eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA\n",
        "ey+hbGciOiJIUzI1NiJ9.e30.AAAA",
    };
    struct token_keys *keys = one_key();

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(verify(keys, bad[i], CLAIMS_CLIENT), REFUSAL_INVALID);
    assert_int_equal(verify(keys, "", CLAIMS_CLIENT), REFUSAL_MISSING);
    token_keys_destroy(keys);
}

static void every_prefix_and_every_changed_byte_is_refused(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    char token[8192];

    forge(token, SECRET, HS256, GOOD);
    size_t len = strlen(token);
    for (size_t i = 1; i < len; i++) {
        char cut = token[i];
        token[i] = '\0';
        assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_INVALID);
        token[i] = cut == 'A' ? 'B' : 'A';
        assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_INVALID);
        token[i] = cut;
    }
    assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_NONE);
    token_keys_destroy(keys);
}

static void a_token_of_4_KiB_is_taken_and_one_more_byte_is_not(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    bool taken = false, refused = false;

    for (size_t pad = 2900; pad < 3100; pad++) {
        char payload[4096], token[8192];
        int n =
            snprintf(payload, sizeof payload,
                     "{\"exp\":1700000600,\"sub\":\"4\",\"pad\":\"%*s\"}", (int)pad, "");
        assert_true(n > 0 && (size_t)n < sizeof payload);
        forge(token, SECRET, HS256, payload);
        bool fits = strlen(token) <= LIMIT_TOKEN_BYTES;
        assert_int_equal(verify(keys, token, CLAIMS_CLIENT),
                         fits ? REFUSAL_NONE : REFUSAL_INVALID);
        taken = taken || fits;
        refused = refused || !fits;
    }
    assert_true(taken && refused);
    token_keys_destroy(keys);
}

static void a_nul_inside_ends_nothing(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    struct claims *claims = NULL;
    char token[8192], hint[160];

    forge(token, SECRET, HS256, GOOD);
    struct slice longer = {token, strlen(token) + 2}; /* its NUL and one byte more */
    assert_int_equal(token_verify(keys, longer, CLAIMS_CLIENT, NOW, &claims, hint),
                     REFUSAL_INVALID);
    token_keys_destroy(keys);
}

static void each_kid_is_verified_with_its_own_key(void **state)
{
    (void)state;
    struct token_keys *keys = token_keys_create();
    char token[8192];

    assert_int_equal(token_keys_add(keys, TOKEN_HS256, SLICE("a"), SLICE(SECRET)), ST_OK);
    assert_int_equal(token_keys_add(keys, TOKEN_HS256, SLICE("b"), SLICE(OTHER)), ST_OK);

    forge(token, SECRET, "{\"alg\":\"HS256\",\"kid\":\"a\"}", GOOD);
    assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_NONE);
    forge(token, OTHER, "{\"alg\":\"HS256\",\"kid\":\"b\"}", GOOD);
    assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_NONE);
    forge(token, SECRET, "{\"alg\":\"HS256\",\"kid\":\"b\"}", GOOD);
    assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_INVALID);
    forge(token, SECRET, HS256, GOOD); /* no key is meant for tokens without a kid */
    assert_int_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_INVALID);
    token_keys_destroy(keys);
}

static void a_server_without_a_secret_says_so(void **state)
{
    struct token_keys *keys = token_keys_create();
    struct claims *claims = NULL;
    char token[8192], hint[160];

    (void)state;
    forge(token, SECRET, HS256, GOOD);
    assert_int_equal(token_verify(keys, slice_of(token), CLAIMS_CLIENT, 0, &claims, hint),
                     REFUSAL_INVALID);
    assert_string_equal(hint, "this server has no key to check tokens with");
    token_keys_destroy(keys);
}

static void a_publish_token_is_for_the_publisher_only(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    char token[8192];

    forge(token, SECRET, HS256,
          "{\"exp\":1700000600,\"aud\":\"sidecast:publish\",\"scope\":\"publish\"}");
    assert_int_equal(verify(keys, token, CLAIMS_PUBLISH), REFUSAL_NONE);
    assert_int_not_equal(verify(keys, token, CLAIMS_CLIENT), REFUSAL_NONE);
    assert_int_not_equal(verify(keys, token, CLAIMS_ADMIN), REFUSAL_NONE);
    forge(token, SECRET, HS256, GOOD);
    assert_int_not_equal(verify(keys, token, CLAIMS_PUBLISH), REFUSAL_NONE);
    token_keys_destroy(keys);
}

static void the_leeway_goes_both_ways(void **state)
{
    (void)state;
    struct token_keys *keys = one_key();
    char late[8192], early[8192];

    forge(late, SECRET, HS256, "{\"sub\":\"42\",\"exp\":1699999995}");
    forge(early, SECRET, HS256, "{\"sub\":\"42\",\"exp\":1700000600,\"nbf\":1700000005}");
    assert_int_equal(verify(keys, late, CLAIMS_CLIENT), REFUSAL_EXPIRED);
    assert_int_equal(verify(keys, early, CLAIMS_CLIENT), REFUSAL_NOT_YET);
    token_keys_set_leeway(keys, 10);
    assert_int_equal(verify(keys, late, CLAIMS_CLIENT), REFUSAL_NONE);
    assert_int_equal(verify(keys, early, CLAIMS_CLIENT), REFUSAL_NONE);
    token_keys_destroy(keys);
}

static void new_rules_hold_for_tokens_that_were_verified(void **state)
{
    const struct claims_rules strict = {.issuer = SLICE("https://id.example")};
    struct token_keys *keys = one_key();
    char late[8192], good[8192];

    (void)state;
    forge(late, SECRET, HS256, "{\"sub\":\"42\",\"exp\":1699999995}");
    token_keys_set_leeway(keys, 10);
    assert_int_equal(verify(keys, late, CLAIMS_CLIENT), REFUSAL_NONE);
    token_keys_set_leeway(keys, 0);
    assert_int_equal(verify(keys, late, CLAIMS_CLIENT), REFUSAL_EXPIRED);

    forge(good, SECRET, HS256, GOOD);
    assert_int_equal(verify(keys, good, CLAIMS_CLIENT), REFUSAL_NONE);
    assert_int_equal(token_keys_set_rules(keys, &strict), ST_OK);
    assert_int_equal(verify(keys, good, CLAIMS_CLIENT), REFUSAL_INVALID);
    token_keys_destroy(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minted_token_is_verified_with_each_algorithm),
        cmocka_unit_test(minting_needs_a_known_key),
        cmocka_unit_test(minting_refuses_what_no_listener_would_take),
        cmocka_unit_test(a_key_is_checked_when_it_is_added),
        cmocka_unit_test(forged_and_odd_tokens_are_refused),
        cmocka_unit_test(texts_that_are_no_tokens_are_refused),
        cmocka_unit_test(every_prefix_and_every_changed_byte_is_refused),
        cmocka_unit_test(a_token_of_4_KiB_is_taken_and_one_more_byte_is_not),
        cmocka_unit_test(a_nul_inside_ends_nothing),
        cmocka_unit_test(each_kid_is_verified_with_its_own_key),
        cmocka_unit_test(a_server_without_a_secret_says_so),
        cmocka_unit_test(a_publish_token_is_for_the_publisher_only),
        cmocka_unit_test(the_leeway_goes_both_ways),
        cmocka_unit_test(new_rules_hold_for_tokens_that_were_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a verified token says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/buf.h"
#include "proto/claims.h"

#include <stdio.h>
#include <string.h>

enum {
    NOW = 1000,
    LEEWAY = 5,
};

static const struct claims_rules rules = {.leeway_s = LEEWAY};
static const struct claims_rules no_rules;

static enum refusal decode_for(enum claims_use use, const char *json, char hint[160])
{
    struct claims *claims = NULL;

    hint[0] = '\0';
    enum refusal refusal = claims_decode(slice_of(json), use, NOW, &rules, &claims, hint);
    if (refusal)
        assert_null(claims);
    claims_drop(claims);
    return refusal;
}

static enum refusal decode(const char *json)
{
    char hint[160];
    return decode_for(CLAIMS_CLIENT, json, hint);
}

static void what_the_token_says_can_be_read(void **state)
{
    static const char json[] =
        "{\"sub\":\"alice\",\"exp\":2000,\"iat\":900.5,\"nbf\":0,\"aud\":[\"app\"],"
        "\"rooms\":[\"project:*\",\"a:**\"],\"scope\":\"publish  "
        "admin\",\"x\":{\"y\":1}}";
    struct claims *claims;

    (void)state;
    assert_int_equal(
        claims_decode(slice_of(json), CLAIMS_CLIENT, NOW, &no_rules, &claims, NULL),
        REFUSAL_NONE);
    assert_true(slice_is(claims_user(claims), "alice"));
    assert_int_equal(claims_expires_s(claims), 2000);
    assert_true(claims_names_rooms(claims));
    assert_int_equal(claims_room_count(claims), 2);
    assert_true(slice_is(claims_room(claims, 0), "project:*"));
    assert_true(slice_is(claims_room(claims, 1), "a:**"));
    assert_true(claims_has_scope(claims, "publish"));
    assert_true(claims_has_scope(claims, "admin"));
    assert_false(claims_has_scope(claims, "adm"));
    assert_false(claims_has_scope(claims, ""));
    claims_drop(claims);
}

static void claims_are_kept_whole(void **state)
{
    const struct claims_rules whole = {.needs_no_sub = true};
    struct claims *claims;

    (void)state;
    assert_int_equal(claims_decode(SLICE(" {\"id\":7,\"exp\":2000,\"rooms\":[\"a\"]} "),
                                   CLAIMS_CLIENT, NOW, &whole, &claims, NULL),
                     REFUSAL_NONE);
    assert_true(
        slice_is(claims_json(claims), "{\"id\":7,\"exp\":2000,\"rooms\":[\"a\"]}"));
    assert_int_equal(claims_user(claims).len, 0);
    claims = claims_as(claims, SLICE("seven"));
    assert_true(slice_is(claims_user(claims), "seven"));
    assert_true(
        slice_is(claims_json(claims), "{\"id\":7,\"exp\":2000,\"rooms\":[\"a\"]}"));
    assert_true(slice_is(claims_room(claims, 0), "a"));
    assert_int_equal(claims_expires_s(claims), 2000);
    claims_drop(claims);
}

static void nobody_has_no_name_no_rooms_and_no_end(void **state)
{
    struct claims *nobody = claims_nobody();

    (void)state;
    assert_int_equal(claims_user(nobody).len, 0);
    assert_int_equal(claims_json(nobody).len, 0);
    assert_int_equal(claims_room_count(nobody), 0);
    assert_true(claims_expires_s(nobody) == INT64_MAX);
    assert_false(claims_has_scope(nobody, "publish"));
    claims_drop(nobody);
}

static void shared_claims_live_until_the_last_is_dropped(void **state)
{
    struct claims *claims;

    (void)state;
    assert_int_equal(claims_decode(SLICE("{\"sub\":7,\"exp\":2000}"), CLAIMS_CLIENT, NOW,
                                   &no_rules, &claims, NULL),
                     REFUSAL_NONE);
    struct claims *other = claims_share(claims);
    claims_drop(claims);
    assert_true(slice_is(claims_user(other), "7"));
    assert_false(claims_names_rooms(other));
    assert_int_equal(claims_room_count(other), 0);
    assert_false(claims_has_scope(other, "publish"));
    claims_drop(other);
    claims_drop(NULL);
}

static void times_have_a_leeway(void **state)
{
    static const struct {
        const char *json;
        enum refusal refusal;
    } rows[] = {
        {"{\"sub\":\"a\",\"exp\":1001}",                REFUSAL_NONE   },
        {"{\"sub\":\"a\",\"exp\":996}",                 REFUSAL_NONE   },
        {"{\"sub\":\"a\",\"exp\":995}",                 REFUSAL_EXPIRED},
        {"{\"sub\":\"a\",\"exp\":1001.0}",              REFUSAL_INVALID},
        {"{\"sub\":\"a\",\"exp\":0}",                   REFUSAL_EXPIRED},
        {"{\"sub\":\"a\",\"exp\":1.5e9}",               REFUSAL_INVALID},
        {"{\"sub\":\"a\",\"exp\":9007199254740992}",    REFUSAL_NONE   },
        {"{\"sub\":\"a\",\"exp\":2000,\"nbf\":1005}",   REFUSAL_NONE   },
        {"{\"sub\":\"a\",\"exp\":2000,\"nbf\":1005.5}", REFUSAL_NOT_YET},
        {"{\"sub\":\"a\",\"exp\":2000,\"nbf\":1006}",   REFUSAL_NOT_YET},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(decode(rows[i].json), rows[i].refusal);
}

static void claims_of_the_wrong_type_are_invalid(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "1",
        "{}",
        "{\"sub\":\"a\"}",
        "{\"exp\":2000}",
        "{\"sub\":\"a\",\"exp\":\"2000\"}",
        "{\"sub\":\"a\",\"exp\":null}",
        "{\"sub\":\"a\",\"exp\":true}",
        "{\"sub\":\"a\",\"exp\":-1}",
        "{\"sub\":\"a\",\"exp\":9007199254740993000}",
        "{\"sub\":\"a\",\"exp\":1e300}",
        "{\"sub\":\"a\",\"exp\":1e400}",
        "{\"sub\":\"a\",\"exp\":99999999999999999999}",
        "{\"sub\":\"a\",\"exp\":2000,\"nbf\":\"0\"}",
        "{\"sub\":\"a\",\"exp\":2000,\"iat\":\"0\"}",
        "{\"sub\":\"a\",\"exp\":2000,\"exp\":3000}",
        "{\"sub\":\"a\",\"exp\":2000,\"\\u0065xp\":3000}",
        "{\"sub\":null,\"exp\":2000}",
        "{\"sub\":1.5,\"exp\":2000}",
        "{\"sub\":\"\",\"exp\":2000}",
        "{\"sub\":\"a\\n\",\"exp\":2000}",
        "{\"sub\":\"a\\u0000b\",\"exp\":2000}",
        "{\"sub\":[\"a\"],\"exp\":2000}",
        "{\"sub\":\"a\",\"exp\":2000,\"aud\":1}",
        "{\"sub\":\"a\",\"exp\":2000,\"aud\":[1]}",
        "{\"sub\":\"a\",\"exp\":2000,\"aud\":null}",
        "{\"sub\":\"a\",\"exp\":2000,\"rooms\":\"a\"}",
        "{\"sub\":\"a\",\"exp\":2000,\"rooms\":[1]}",
        "{\"sub\":\"a\",\"exp\":2000,\"rooms\":[\"a b\"]}",
        "{\"sub\":\"a\",\"exp\":2000,\"rooms\":[\"{claims.sub}\"]}",
        "{\"sub\":\"a\",\"exp\":2000,\"rooms\":[\"**:a\"]}",
        "{\"sub\":\"a\",\"exp\":2000,\"scope\":[\"admin\"]}",
        "{\"sub\":\"a\",\"exp\":2000} x",
    };
    char hint[160];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(decode_for(CLAIMS_CLIENT, bad[i], hint), REFUSAL_INVALID);
        assert_true(strlen(hint) > 0);
        assert_int_equal(hint[strlen(hint) - 1], '.');
    }
}

static void every_prefix_is_invalid(void **state)
{
    static const char json[] =
        "{\"sub\":\"a\",\"exp\":2000,\"aud\":\"x\",\"rooms\":[\"a\"]}";
    struct claims *claims = NULL;

    (void)state;
    for (size_t n = 0; n < sizeof json - 1; n++)
        assert_int_equal(claims_decode((struct slice){json, n}, CLAIMS_CLIENT, NOW,
                                       &rules, &claims, NULL),
                         REFUSAL_INVALID);
    assert_int_equal(decode(json), REFUSAL_NONE);
}

static void audiences_keep_the_kinds_of_token_apart(void **state)
{
    static const struct {
        const char *aud;
        enum refusal client, publish, admin;
    } rows[] = {
        {"\"app\"",                        REFUSAL_NONE,    REFUSAL_INVALID, REFUSAL_INVALID},
        {"[]",                             REFUSAL_NONE,    REFUSAL_INVALID, REFUSAL_INVALID},
        {"\"sidecast:publish\"",           REFUSAL_INVALID, REFUSAL_NONE,    REFUSAL_INVALID},
        {"[\"app\",\"sidecast:publish\"]", REFUSAL_INVALID, REFUSAL_NONE,
         REFUSAL_INVALID                                                                    },
        {"[\"sidecast:admin\"]",           REFUSAL_INVALID, REFUSAL_INVALID, REFUSAL_NONE   },
        {"[\"sidecast:admin\\u0020\"]",    REFUSAL_NONE,    REFUSAL_INVALID, REFUSAL_INVALID},
    };
    char json[200], hint[160];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(json, sizeof json, "{\"sub\":\"a\",\"exp\":2000,\"aud\":%s}",
                 rows[i].aud);
        assert_int_equal(decode_for(CLAIMS_CLIENT, json, hint), rows[i].client);
        assert_int_equal(decode_for(CLAIMS_PUBLISH, json, hint), rows[i].publish);
        assert_int_equal(decode_for(CLAIMS_ADMIN, json, hint), rows[i].admin);
    }
}

static void a_backend_needs_no_user(void **state)
{
    char hint[160];

    (void)state;
    assert_int_equal(
        decode_for(CLAIMS_PUBLISH, "{\"exp\":2000,\"aud\":\"sidecast:publish\"}", hint),
        REFUSAL_NONE);
    assert_int_equal(decode_for(CLAIMS_PUBLISH, "{\"aud\":\"sidecast:publish\"}", hint),
                     REFUSAL_INVALID);
    assert_non_null(strstr(hint, "\"exp\""));
}

static void patterns_have_a_ceiling(void **state)
{
    struct buf json = {.max = 4096};

    (void)state;
    buf_add_text(&json, "{\"sub\":\"a\",\"exp\":2000,\"rooms\":[\"a\"");
    for (int i = 1; i < LIMIT_PATTERNS; i++)
        buf_add_text(&json, ",\"a\"");
    size_t len = json.len;
    buf_add(&json, SLICE("]}\0"));
    assert_int_equal(decode(json.ptr), REFUSAL_NONE);
    json.len = len;
    buf_add(&json, SLICE(",\"a\"]}\0"));
    assert_int_equal(decode(json.ptr), REFUSAL_INVALID);
    buf_finish(&json);
}

static void hints_do_not_repeat_the_token(void **state)
{
    static const char *const secrets[] = {
        "{\"sub\":\"SECRET\\n\",\"exp\":2000}",
        "{\"sub\":\"a\",\"exp\":\"SECRET\"}",
        "{\"sub\":\"a\",\"exp\":2000,\"rooms\":[\"SECRET SECRET\"]}",
        "{\"sub\":\"SECRET",
        "{\"SECRET\":1,\"SECRET\":2}",
    };
    char hint[160];

    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        assert_int_equal(decode_for(CLAIMS_CLIENT, secrets[i], hint), REFUSAL_INVALID);
        assert_null(strstr(hint, "SECRET"));
    }
}

static void refusals_have_their_words(void **state)
{
    static const struct {
        enum refusal refusal;
        const char *reason;
        const char *text;
    } rows[] = {
        {REFUSAL_MISSING,     "missing",     "Authentication required"},
        {REFUSAL_INVALID,     "invalid",     "Invalid token"          },
        {REFUSAL_EXPIRED,     "expired",     "Token expired"          },
        {REFUSAL_NOT_YET,     "not_yet",     "Not authorized"         },
        {REFUSAL_REVOKED,     "revoked",     "Not authorized"         },
        {REFUSAL_INACTIVE,    "inactive",    "Not authorized"         },
        {REFUSAL_FORBIDDEN,   "forbidden",   "Not authorized"         },
        {REFUSAL_UNAVAILABLE, "unavailable", "Not authorized"         },
        {REFUSAL_LIMIT,       "limit",       "Not authorized"         },
    };

    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, REFUSAL_COUNT - 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(refusal_reason(rows[i].refusal), rows[i].reason);
        assert_string_equal(refusal_text(rows[i].refusal), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_token_says_can_be_read),
        cmocka_unit_test(claims_are_kept_whole),
        cmocka_unit_test(nobody_has_no_name_no_rooms_and_no_end),
        cmocka_unit_test(shared_claims_live_until_the_last_is_dropped),
        cmocka_unit_test(times_have_a_leeway),
        cmocka_unit_test(claims_of_the_wrong_type_are_invalid),
        cmocka_unit_test(every_prefix_is_invalid),
        cmocka_unit_test(audiences_keep_the_kinds_of_token_apart),
        cmocka_unit_test(a_backend_needs_no_user),
        cmocka_unit_test(patterns_have_a_ceiling),
        cmocka_unit_test(hints_do_not_repeat_the_token),
        cmocka_unit_test(refusals_have_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

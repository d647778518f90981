/* Who may join what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/access.h"

static struct claims *claims_of(const char *json)
{
    struct claims *claims = NULL;

    claims_decode(slice_of(json), CLAIMS_CLIENT, 1000, &(struct claims_rules){0}, &claims,
                  NULL);
    return claims;
}

static bool may_join_key(const struct claims *claims, const struct room_key *key)
{
    struct system *system = system_default();
    struct buf scratch = {.max = 4096};
    bool may = access_may_join(system, claims, key, &scratch);

    buf_finish(&scratch);
    system_release(system);
    return may;
}

static bool may_join(const struct claims *claims, const char *text)
{
    struct room_key key;

    assert_int_equal(room_target_decode(SLICE("/"), slice_of(text), &key), ST_OK);
    return may_join_key(claims, &key);
}

static void a_token_grants_what_its_patterns_match(void **state)
{
    static const struct {
        const char *room;
        bool may;
    } rows[] = {
        {"project:7",            true },
        {"project:7:x",          false},
        {"project",              false},
        {"other:7",              false},
        {"*",                    true },
        {"user:alice",           true },
        {"user:victim",          false},
        {"user:alice/../victim", false},
        {"user:Alice",           false},
        {"user:*",               false},
        {"user:alice ",          false},
    };
    struct claims *claims = claims_of(
        "{\"sub\":\"alice\",\"exp\":2000,\"rooms\":[\"project:*\",\"user:*\"]}");

    (void)state;
    assert_non_null(claims);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(may_join(claims, rows[i].room), rows[i].may);
    claims_drop(claims);
}

static void two_stars_grant_all_named_rooms_and_no_others(void **state)
{
    struct claims *claims =
        claims_of("{\"sub\":\"alice\",\"exp\":2000,\"rooms\":[\"**\"]}");
    struct room_key socket = {SLICE("/"), ROOM_SOCKET, SLICE("abcdefghij0123456789")};

    (void)state;
    assert_non_null(claims);
    assert_true(may_join(claims, "a"));
    assert_true(may_join(claims, "a:b:c"));
    assert_false(may_join(claims, "user:victim"));
    assert_false(may_join_key(claims, &socket));
    claims_drop(claims);
}

static void nobody_may_join_nothing_but_everybody(void **state)
{
    struct claims *claims = claims_of("{\"sub\":\"alice\",\"exp\":2000}");

    (void)state;
    assert_false(may_join(NULL, "a"));
    assert_false(may_join(NULL, "user:alice"));
    assert_true(may_join(NULL, "*"));
    assert_false(may_join(claims, "a"));
    assert_true(may_join(claims, "user:alice"));
    claims_drop(claims);
}

static void no_user_is_not_the_empty_user(void **state)
{
    struct room_key key = {SLICE("/"), ROOM_USER, {0}};
    struct claims *claims = NULL;

    (void)state;
    assert_int_equal(claims_decode(SLICE("{\"exp\":2000,\"aud\":\"sidecast:publish\"}"),
                                   CLAIMS_PUBLISH, 1000, &(struct claims_rules){0},
                                   &claims, NULL),
                     REFUSAL_NONE);
    assert_false(may_join_key(claims, &key));
    claims_drop(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_grants_what_its_patterns_match),
        cmocka_unit_test(two_stars_grant_all_named_rooms_and_no_others),
        cmocka_unit_test(nobody_may_join_nothing_but_everybody),
        cmocka_unit_test(no_user_is_not_the_empty_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* API keys: their form, who is found, and what a limited one may do. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "publisher-api/api_keys.h"

#include <string.h>

#define KEY_A "sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "sk_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB_"
#define KEY_C "sk_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC-"

static void a_key_is_sk_and_43_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_key;
    } rows[] = {
        {KEY_A,                                            true },
        {KEY_B,                                            true },
        {KEY_C,                                            true },
        {"",                                               false},
        {"sk_",                                            false},
        {KEY_A "A",                                        false},
        {"sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",  false},
        {"SK_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
        {"sk-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
        {"sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.", false},
        {"sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false},
        {"sk_AAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAA", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(api_key_is_well_formed(slice_of(rows[i].text)), rows[i].is_key);
}

static void a_list_gives_named_keys_with_both_scopes(void **state)
{
    (void)state;
    struct api_keys *keys = api_keys_create();

    assert_int_equal(api_keys_add_list(keys, SLICE(KEY_A ", " KEY_B ",")), ST_OK);
    assert_int_equal(api_keys_count(keys), 2);
    const struct api_key *key = api_keys_find(keys, SLICE(KEY_B));
    assert_non_null(key);
    assert_string_equal(key->name, "key-2");
    assert_int_equal(key->scopes, API_SCOPE_PUBLISH | API_SCOPE_ADMIN);
    assert_string_equal(api_keys_find(keys, SLICE(KEY_A))->name, "key-1");
    assert_null(api_keys_find(keys, SLICE(KEY_C)));
    assert_null(api_keys_find(keys, SLICE("")));
    api_keys_destroy(keys);
}

static void an_empty_list_is_no_key(void **state)
{
    (void)state;
    struct api_keys *keys = api_keys_create();

    assert_int_equal(api_keys_add_list(keys, SLICE("")), ST_OK);
    assert_int_equal(api_keys_add_list(keys, slice_of(NULL)), ST_OK);
    assert_int_equal(api_keys_count(keys), 0);
    assert_null(api_keys_find(keys, SLICE(KEY_A)));
    api_keys_destroy(keys);
}

static void every_cut_key_is_refused(void **state)
{
    (void)state;
    for (size_t len = 1; len < strlen(KEY_A); len++) {
        struct api_keys *keys = api_keys_create();
        assert_int_equal(api_keys_add_list(keys, slice_first(SLICE(KEY_A), len)),
                         ST_BAD_REQUEST);
        api_keys_destroy(keys);
    }
}

static void a_key_twice_is_a_conflict(void **state)
{
    (void)state;
    struct api_keys *keys = api_keys_create();

    assert_int_equal(api_keys_add_list(keys, SLICE(KEY_A "," KEY_A)), ST_CONFLICT);
    api_keys_destroy(keys);
}

static void a_malformed_pattern_is_refused(void **state)
{
    (void)state;
    static const struct slice rooms[] = {
        {"project:", 8}
    };
    const struct api_key key = {.name = "ci", .rooms = rooms, .room_count = 1};
    struct api_keys *keys = api_keys_create();

    assert_int_equal(api_keys_add(keys, &key, SLICE(KEY_A)), ST_BAD_REQUEST);
    assert_int_equal(api_keys_count(keys), 0);
    api_keys_destroy(keys);
}

static void a_limited_key_publishes_what_it_names(void **state)
{
    (void)state;
    static const struct slice rooms[] = {
        {"project:*", 9},
        {"user:*",    6}
    };
    static const struct slice events[] = {
        {"project.*", 9},
        {"ping",      4}
    };
    static const struct {
        enum room_kind kind;
        const char *name, *event;
        bool may;
    } rows[] = {
        {ROOM_NAMED,  "project:7",   "project.changed", true },
        {ROOM_NAMED,  "project:7",   "ping",            true },
        {ROOM_NAMED,  "project:7",   "pings",           false},
        {ROOM_NAMED,  "project:7",   "projec",          false},
        {ROOM_NAMED,  "project:7:x", "ping",            false},
        {ROOM_NAMED,  "village:7",   "ping",            false},
        {ROOM_USER,   "42",          "ping",            true },
        {ROOM_SOCKET, "abc",         "ping",            false},
        {ROOM_ALL,    "",            "ping",            false},
    };
    const struct api_key key = {.name = "ci",
                                .scopes = API_SCOPE_PUBLISH,
                                .rooms = rooms,
                                .room_count = 2,
                                .events = events,
                                .event_count = 2};
    struct api_keys *keys = api_keys_create();

    assert_int_equal(api_keys_add(keys, &key, SLICE(KEY_A)), ST_OK);
    const struct api_key *found = api_keys_find(keys, SLICE(KEY_A));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct envelope_target target = {rows[i].kind, slice_of(rows[i].name)};
        const struct envelope envelope = {
            .event = slice_of(rows[i].event), .targets = &target, .target_count = 1};
        assert_int_equal(api_key_may_publish(found, &envelope), rows[i].may);
    }
    api_keys_destroy(keys);
}

static void every_target_must_be_allowed(void **state)
{
    (void)state;
    static const struct slice rooms[] = {
        {"a:*", 3}
    };
    const struct api_key key = {.name = "ci", .rooms = rooms, .room_count = 1};
    struct envelope_target targets[] = {
        {ROOM_NAMED, SLICE("a:1")},
        {ROOM_NAMED, SLICE("b:1")}
    };
    const struct envelope envelope = {
        .event = SLICE("x"), .targets = targets, .target_count = 2};
    struct api_keys *keys = api_keys_create();

    assert_int_equal(api_keys_add(keys, &key, SLICE(KEY_A)), ST_OK);
    assert_false(api_key_may_publish(api_keys_find(keys, SLICE(KEY_A)), &envelope));
    api_keys_destroy(keys);
}

static void a_key_for_everything_reaches_every_kind(void **state)
{
    (void)state;
    static const struct slice patterns[] = {
        {"**", 2}
    };

    for (int kind = 0; kind < ROOM_KIND_COUNT; kind++) {
        const struct envelope_target target = {(enum room_kind)kind, SLICE("x")};
        assert_true(api_rooms_allow(patterns, 1, &target));
        assert_true(api_rooms_allow(NULL, 0, &target));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_sk_and_43_characters),
        cmocka_unit_test(a_list_gives_named_keys_with_both_scopes),
        cmocka_unit_test(an_empty_list_is_no_key),
        cmocka_unit_test(every_cut_key_is_refused),
        cmocka_unit_test(a_key_twice_is_a_conflict),
        cmocka_unit_test(a_malformed_pattern_is_refused),
        cmocka_unit_test(a_limited_key_publishes_what_it_names),
        cmocka_unit_test(every_target_must_be_allowed),
        cmocka_unit_test(a_key_for_everything_reaches_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Room names, user ids, targets and patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "proto/room_name.h"

#include <string.h>

static void names_follow_the_grammar(void **state)
{
    static const char *const good[] = {"a",     "project:7", "a.b_c@d+e=f|g~h-i",
                                       "A:b:C", "user",      "0"};
    static const char *const bad[] = {"",  ":",   "a:",          ":a",  "a::b",
                                      "*", "a:*", "a b",         "a/b", "%00",
                                      "{", "a\n", "caf\xc3\xa9", "a,b", "a$"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(room_name_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(room_name_is_valid(slice_of(bad[i])));
    assert_false(room_name_is_valid(SLICE("a\0b")));
}

static void names_have_ceilings(void **state)
{
    char name[LIMIT_ROOM_BYTES + 2];

    (void)state;
    memset(name, 'a', sizeof name);
    assert_true(room_name_is_valid((struct slice){name, LIMIT_ROOM_SEGMENT_BYTES}));
    assert_false(room_name_is_valid((struct slice){name, LIMIT_ROOM_SEGMENT_BYTES + 1}));
    name[100] = ':';
    assert_true(room_name_is_valid((struct slice){name, LIMIT_ROOM_BYTES}));
    assert_false(room_name_is_valid((struct slice){name, LIMIT_ROOM_BYTES + 1}));
}

static void user_ids_are_text_without_control_characters(void **state)
{
    static const char *const good[] = {"42",          "a b", "me/../victim", "*",
                                       "caf\xc3\xa9", "a:b", "\xc2\xa0"};
    static const char *const bad[] = {"",         "a\n",  "\x7f", "\xc2\x80",
                                      "\xc2\x9f", "\xff", "\xc2", "\xed\xa0\x80"};
    char longest[LIMIT_USER_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(user_id_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(user_id_is_valid(slice_of(bad[i])));
    memset(longest, 'u', sizeof longest);
    assert_true(user_id_is_valid((struct slice){longest, LIMIT_USER_BYTES}));
    assert_false(user_id_is_valid((struct slice){longest, LIMIT_USER_BYTES + 1}));
}

static void a_sid_is_twenty_characters_of_base64url(void **state)
{
    static const char *const bad[] = {"", "abcdefghij012345678", "abcdefghij-_234567890",
                                      "abcdefghij+/23456789", "abcdefghij 123456789"};

    (void)state;
    assert_true(socket_sid_is_valid(SLICE("abcdefghij-_23456789")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(socket_sid_is_valid(slice_of(bad[i])));
}

static void namespaces_start_with_a_slash(void **state)
{
    static const char *const good[] = {"/", "/custom", "/a/b", "/\xc3\xa9"};
    static const char *const bad[] = {"", "custom", "/a,b", "/a?b", "/a\n", "/\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(namespace_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(namespace_is_valid(slice_of(bad[i])));
}

static void a_target_is_spelled_as_one_text(void **state)
{
    static const struct {
        const char *text;
        enum room_kind kind;
        const char *name;
    } rows[] = {
        {"project:7",         ROOM_NAMED, "project:7"   },
        {"user",              ROOM_NAMED, "user"        },
        {"User:42",           ROOM_NAMED, "User:42"     },
        {"*",                 ROOM_ALL,   ""            },
        {"user:42",           ROOM_USER,  "42"          },
        {"user:me/../victim", ROOM_USER,  "me/../victim"},
        {"user:user:42",      ROOM_USER,  "user:42"     },
    };
    struct room_key key;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(room_target_decode(SLICE("/x"), slice_of(rows[i].text), &key),
                         ST_OK);
        assert_int_equal(key.kind, rows[i].kind);
        assert_true(slice_is(key.name, rows[i].name));
        assert_true(slice_is(key.nsp, "/x"));
    }
}

static void a_malformed_target_is_refused(void **state)
{
    static const char *const bad[] = {"",        "user:",        "**", "a:*",
                                      "user:\n", "{claims.sub}", "%00"};
    struct room_key key;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(room_target_decode(SLICE("/"), slice_of(bad[i]), &key),
                         ST_BAD_TARGET);
}

static void keys_differ_by_namespace_kind_and_name(void **state)
{
    struct room_key key = {SLICE("/"), ROOM_NAMED, SLICE("a")};
    struct room_key other_nsp = {SLICE("/b"), ROOM_NAMED, SLICE("a")};
    struct room_key other_kind = {SLICE("/"), ROOM_USER, SLICE("a")};
    struct room_key other_name = {SLICE("/"), ROOM_NAMED, SLICE("b")};
    struct room_key same = key;

    (void)state;
    assert_true(room_key_equal(&key, &same));
    assert_false(room_key_equal(&key, &other_nsp));
    assert_false(room_key_equal(&key, &other_kind));
    assert_false(room_key_equal(&key, &other_name));
}

static void patterns_follow_the_grammar(void **state)
{
    static const char *const good[] = {"a", "*", "**", "a:*", "a:**", "*:b", "*:*:**"};
    static const char *const bad[] = {
        "", ":", "a*", "***", "**:a", "a:**:b", "{claims.sub}", "a:", "a:*b"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(room_pattern_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(room_pattern_is_valid(slice_of(bad[i])));
}

static void a_star_is_one_segment_and_two_are_the_rest(void **state)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool matches;
    } rows[] = {
        {"a",      "a",     true },
        {"a",      "b",     false},
        {"a",      "a:b",   false},
        {"a:b",    "a",     false},
        {"*",      "a",     true },
        {"*",      "a:b",   false},
        {"a:*",    "a:b",   true },
        {"a:*",    "a",     false},
        {"a:*",    "a:b:c", false},
        {"*:b",    "a:b",   true },
        {"**",     "a",     true },
        {"**",     "a:b:c", true },
        {"a:**",   "a",     false},
        {"a:**",   "a:b",   true },
        {"a:**",   "a:b:c", true },
        {"a:**",   "b:b:c", false},
        {"a:*:**", "a:b",   false},
        {"a:*:**", "a:b:c", true },
        {"ab",     "a",     false},
        {"**",     "a:",    false},
        {"**",     "",      false},
        {"*",      "*",     false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(
            room_pattern_matches(slice_of(rows[i].pattern), slice_of(rows[i].name)),
            rows[i].matches);
}

static void a_gap_of_a_form_is_a_part_of_a_segment(void **state)
{
    static const struct {
        const char *form, *name;
        bool fits;
    } rows[] = {
        {"a:b",     "a:b",         true },
        {"a:b",     "a:c",         false},
        {"a:b",     "a:b:c",       false},
        {"a:b:c",   "a:b",         false},
        {"a:*",     "a:7",         true },
        {"a:*",     "a:",          false},
        {"a:*",     "a",           false},
        {"a:*",     "a:7:8",       false},
        {"*:*",     "a:7",         true },
        {"*:*",     "a",           false},
        {"v-*",     "v-7",         true },
        {"v-*",     "v-",          false},
        {"v-*",     "w-7",         false},
        {"*-x:*-b", "1-2-x:a-b-b", true },
        {"*-x:*-b", "1-x:a-b-c",   false},
        {"*-x:*-b", "1-x:y-x:a-b", false},
        {"**",      "a",           false},
        {"*-*",     "a-b-c",       true },
        {"*",       "a b",         false},
        {"",        "",            false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (room_form_fits(slice_of(rows[i].form), slice_of(rows[i].name)) !=
            rows[i].fits)
            fail_msg("%s %s", rows[i].form, rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_grammar),
        cmocka_unit_test(names_have_ceilings),
        cmocka_unit_test(user_ids_are_text_without_control_characters),
        cmocka_unit_test(a_sid_is_twenty_characters_of_base64url),
        cmocka_unit_test(namespaces_start_with_a_slash),
        cmocka_unit_test(a_target_is_spelled_as_one_text),
        cmocka_unit_test(a_malformed_target_is_refused),
        cmocka_unit_test(keys_differ_by_namespace_kind_and_name),
        cmocka_unit_test(patterns_follow_the_grammar),
        cmocka_unit_test(a_star_is_one_segment_and_two_are_the_rest),
        cmocka_unit_test(a_gap_of_a_form_is_a_part_of_a_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/slice.h"

#include <stdlib.h>

static const struct slice empty = {0};

static void a_slice_of_nothing_is_empty(void **state)
{
    assert_int_equal(slice_of(NULL).len, 0);
    assert_int_equal(slice_of("").len, 0);
    assert_true(slice_equal(slice_of(NULL), slice_of("")));
    assert_true(slice_is(empty, ""));
    assert_true(slice_is_nocase(empty, ""));
    assert_true(slice_starts_with(empty, ""));
    assert_false(slice_starts_with(empty, "a"));
    (void)state;
}

static void parts_stay_inside(void **state)
{
    struct slice s = SLICE("abc");

    assert_true(slice_is(slice_from(s, 0), "abc"));
    assert_true(slice_is(slice_from(s, 2), "c"));
    assert_int_equal(slice_from(s, 3).len, 0);
    assert_int_equal(slice_from(s, SIZE_MAX).len, 0);
    assert_true(slice_is(slice_first(s, 2), "ab"));
    assert_true(slice_is(slice_first(s, SIZE_MAX), "abc"));
    assert_int_equal(slice_first(empty, 1).len, 0);
    (void)state;
}

static void blanks_and_tabs_are_trimmed_at_the_ends_only(void **state)
{
    assert_true(slice_is(slice_trim(SLICE(" \ta b\t ")), "a b"));
    assert_true(slice_is(slice_trim(SLICE("\na\n")), "\na\n"));
    assert_int_equal(slice_trim(SLICE(" \t ")).len, 0);
    assert_int_equal(slice_trim(empty).len, 0);
    (void)state;
}

static void a_cut_is_made_at_the_first_byte(void **state)
{
    static const struct {
        const char *text, *head, *rest;
        bool is_found;
    } rows[] = {
        {"a:b:c", "a",  "b:c", true },
        {":b",    "",   "b",   true },
        {"a:",    "a",  "",    true },
        {"ab",    "ab", "",    false},
        {"",      "",   "",    false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice head, rest;
        assert_int_equal(slice_cut(slice_of(rows[i].text), ':', &head, &rest),
                         rows[i].is_found);
        assert_true(slice_is(head, rows[i].head));
        assert_true(slice_is(rest, rows[i].rest));
    }
    (void)state;
}

static void the_rest_of_a_cut_may_replace_its_source(void **state)
{
    struct slice s = SLICE("a,b");
    struct slice head;

    assert_true(slice_cut(s, ',', &head, &s));
    assert_true(slice_is(head, "a") && slice_is(s, "b"));
    assert_false(slice_cut(s, ',', &head, &s));
    assert_true(slice_is(head, "b") && s.len == 0);
    (void)state;
}

static void equality_is_of_all_bytes(void **state)
{
    assert_true(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_false(slice_equal(SLICE("ab"), SLICE("abc")));
    assert_false(slice_is(SLICE("a\0b"), "a"));
    assert_true(slice_is_nocase(SLICE("Host"), "hOST"));
    assert_false(slice_is_nocase(SLICE("Hos"), "host"));
    assert_false(slice_is_nocase(SLICE("Host"), ""));
    assert_false(slice_is_nocase(SLICE("host"), "hosx"));
    assert_false(slice_is_nocase(SLICE("@ost"), "`ost"));
    assert_false(slice_is_nocase(SLICE("hos\0"), "host"));
    assert_true(slice_starts_with(SLICE("abc"), "ab"));
    assert_false(slice_starts_with(SLICE("ab"), "abc"));
    (void)state;
}

static void secrets_compare_like_other_bytes(void **state)
{
    assert_true(slice_equal_secret(SLICE("key\0k"), SLICE("key\0k")));
    assert_true(slice_equal_secret(empty, SLICE("")));
    assert_false(slice_equal_secret(SLICE("key1"), SLICE("key2")));
    assert_false(slice_equal_secret(SLICE("xey1"), SLICE("key1")));
    assert_false(slice_equal_secret(SLICE("key"), SLICE("key1")));
    (void)state;
}

static void only_digits_are_a_number(void **state)
{
    static const char *const bad[] = {"",     "-1",
                                      "+1",   " 1",
                                      "1 ",   "a",
                                      "0x10", "18446744073709551616",
                                      "1.0",  "99999999999999999999"};
    uint64_t value = 7;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(slice_to_u64(slice_of(bad[i]), &value));
    assert_int_equal(value, 7);
    assert_true(slice_to_u64(SLICE("0"), &value) && value == 0);
    assert_true(slice_to_u64(SLICE("007"), &value) && value == 7);
    assert_true(slice_to_u64(SLICE("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    (void)state;
}

static void a_copy_is_terminated(void **state)
{
    char *copy = slice_dup(slice_first(SLICE("abc"), 2));

    assert_string_equal(copy, "ab");
    free(copy);
    copy = slice_dup(empty);
    assert_string_equal(copy, "");
    free(copy);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_of_nothing_is_empty),
        cmocka_unit_test(parts_stay_inside),
        cmocka_unit_test(blanks_and_tabs_are_trimmed_at_the_ends_only),
        cmocka_unit_test(a_cut_is_made_at_the_first_byte),
        cmocka_unit_test(the_rest_of_a_cut_may_replace_its_source),
        cmocka_unit_test(equality_is_of_all_bytes),
        cmocka_unit_test(secrets_compare_like_other_bytes),
        cmocka_unit_test(only_digits_are_a_number),
        cmocka_unit_test(a_copy_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

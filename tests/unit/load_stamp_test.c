/* Stamps are found wherever they stand, and what looks like one is not taken for it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct load_stamp sample = {
    .run = 12, .lane = 345678, .seq = 9876543210, .due_us = 1234567890123456};

static struct slice write(char *out, size_t size, const char *before, const char *after)
{
    char stamp[LOAD_STAMP_BYTES];

    load_stamp_write(stamp, &sample);
    int len = snprintf(out, size, "%s%.*s%s", before, LOAD_STAMP_BYTES, stamp, after);
    return (struct slice){out, (size_t)len};
}

static void a_stamp_is_read_as_it_was_written(void **state)
{
    static const char *const before[] = {"", "{\"s\":\"", "42[\"load\",{\"s\":\"~load~"};
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        struct slice message = write(text, sizeof text, before[i], "\"}");
        struct load_stamp read = {0};
        size_t hint = 0;
        if (i == 2) {
            /* a mark that no stamp follows hides the one behind it: nobody writes that */
            assert_false(load_stamp_find(message, &hint, &read));
            continue;
        }
        assert_true(load_stamp_find(message, &hint, &read));
        assert_memory_equal(&read, &sample, sizeof sample);
        assert_int_equal(hint, strlen(before[i]));
    }
}

static void a_wrong_hint_costs_time_only(void **state)
{
    char text[200];
    struct slice message = write(text, sizeof text, "12345", "");
    static const size_t hints[] = {0, 4, 5, 6, 51, 52, 1000, SIZE_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        struct load_stamp read;
        size_t hint = hints[i];
        assert_true(load_stamp_find(message, &hint, &read));
        assert_int_equal(hint, 5);
    }
}

static void no_prefix_and_no_damage_is_a_stamp(void **state)
{
    char text[200];
    struct slice message = write(text, sizeof text, "ab", "");
    struct load_stamp read;

    (void)state;
    for (size_t len = 0; len < message.len; len++) {
        /* in memory of its own, so that the sanitizer sees a step too far */
        char *copy = malloc(len + 1);
        size_t hint = 2;
        assert_non_null(copy);
        memcpy(copy, message.ptr, len);
        char *exact = realloc(copy, len ? len : 1);
        assert_false(load_stamp_find((struct slice){exact, len}, &hint, &read));
        free(exact);
    }
    for (size_t i = 2; i < message.len; i++) {
        size_t hint = 2;
        char kept = text[i];
        text[i] = 'x';
        assert_false(load_stamp_find(message, &hint, &read));
        text[i] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_read_as_it_was_written),
        cmocka_unit_test(a_wrong_hint_costs_time_only),
        cmocka_unit_test(no_prefix_and_no_damage_is_a_stamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

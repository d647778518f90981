/* Bounded buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/buf.h"

#include <stdlib.h>
#include <string.h>

static void appends_follow_each_other(void **state)
{
    struct buf buf = {.max = 1000};

    buf_add(&buf, SLICE("a\0b"));
    buf_add_text(&buf, "-text");
    buf_add_byte(&buf, '!');
    buf_add_u64(&buf, 0);
    buf_add_u64(&buf, UINT64_MAX);
    buf_print(&buf, "[%s %d]", "x", -3);
    buf_add(&buf, (struct slice){0});
    assert_int_equal(buf_status(&buf), ST_OK);
    assert_true(
        slice_equal(buf_slice(&buf), SLICE("a\0b-text!018446744073709551615[x -3]")));
    buf_finish(&buf);
    (void)state;
}

static void it_grows_to_its_ceiling_and_no_further(void **state)
{
    struct buf buf = {.max = 1000};

    for (int i = 0; i < 1000; i++)
        buf_add_byte(&buf, 'x');
    assert_int_equal(buf_status(&buf), ST_OK);
    assert_int_equal(buf_slice(&buf).len, 1000);
    buf_add_byte(&buf, 'x');
    assert_int_equal(buf_status(&buf), ST_TOO_LARGE);
    assert_int_equal(buf_slice(&buf).len, 1000);
    buf_finish(&buf);
    (void)state;
}

static void a_failed_append_is_remembered(void **state)
{
    struct buf buf = {.max = 4};

    buf_add_text(&buf, "abc");
    buf_add_text(&buf, "too long");
    buf_add_text(&buf, "d"); /* would fit, but the text would have a hole */
    buf_print(&buf, "%d", 1);
    assert_null(buf_reserve(&buf, 1));
    assert_int_equal(buf_status(&buf), ST_TOO_LARGE);
    assert_true(slice_is(buf_slice(&buf), "abc"));

    buf_clear(&buf);
    assert_int_equal(buf_status(&buf), ST_OK);
    buf_add_text(&buf, "d");
    assert_true(slice_is(buf_slice(&buf), "d"));
    buf_finish(&buf);
    (void)state;
}

static void a_zeroed_buffer_holds_nothing(void **state)
{
    struct buf buf = {0};

    assert_int_equal(buf_slice(&buf).len, 0);
    buf_add_byte(&buf, 'x');
    assert_int_equal(buf_status(&buf), ST_TOO_LARGE);
    buf_finish(&buf);
    buf_finish(NULL);
    (void)state;
}

static void a_size_that_would_overflow_is_too_large(void **state)
{
    struct buf buf = {.max = 100};

    buf_add_text(&buf, "abc");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(buf_status(&buf), ST_TOO_LARGE);
    buf_finish(&buf);
    (void)state;
}

static void reserved_room_is_taken_in_afterwards(void **state)
{
    struct buf buf = {.max = 1000};
    char *to = buf_reserve(&buf, 500);

    assert_non_null(to);
    memcpy(to, "abc", 3);
    assert_int_equal(buf_slice(&buf).len, 0);
    buf_grew(&buf, 3);
    assert_true(slice_is(buf_slice(&buf), "abc"));
    buf_finish(&buf);
    (void)state;
}

static void the_front_can_be_dropped(void **state)
{
    struct buf buf = {.max = 100};

    buf_add_text(&buf, "abcdef");
    buf_consume(&buf, 0);
    buf_consume(&buf, 2);
    assert_true(slice_is(buf_slice(&buf), "cdef"));
    buf_consume(&buf, 4);
    assert_int_equal(buf_slice(&buf).len, 0);
    buf_add_text(&buf, "x");
    buf_consume(&buf, 99);
    assert_int_equal(buf_slice(&buf).len, 0);
    buf_finish(&buf);
    (void)state;
}

static void released_memory_is_the_callers(void **state)
{
    struct buf buf = {.max = 100};

    buf_add_text(&buf, "abc");
    buf_add_byte(&buf, '\0');
    char *memory = buf_release(&buf);
    assert_string_equal(memory, "abc");
    assert_int_equal(buf_slice(&buf).len, 0);
    buf_add_text(&buf, "again");
    assert_true(slice_is(buf_slice(&buf), "again"));
    assert_string_equal(memory, "abc");
    free(memory);
    buf_finish(&buf);
    (void)state;
}

static void json_strings_are_escaped(void **state)
{
    static const struct {
        struct slice text;
        const char *json;
    } rows[] = {
        {{0},                             "\"\""                                     },
        {{"plain", 5},                    "\"plain\""                                },
        {{"a\"b\\c/", 6},                 "\"a\\\"b\\\\c/\""                         },
        {{"\n\r\t\b\0\x1f\x7f", 7},       "\"\\n\\r\\t\\u0008\\u0000\\u001f\\u007f\""},
        {{"\xc3\xa9\xf0\x9f\x98\x80", 6}, "\"\xc3\xa9\xf0\x9f\x98\x80\""             },
        {{"a\xff\xc3", 3},                "\"a\xef\xbf\xbd\xef\xbf\xbd\""            },
        {{"\xed\xa0\x80z", 4},            "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf buf = {.max = 1000};
        buf_add_json_string(&buf, rows[i].text);
        assert_true(slice_is(buf_slice(&buf), rows[i].json));
        buf_finish(&buf);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_each_other),
        cmocka_unit_test(it_grows_to_its_ceiling_and_no_further),
        cmocka_unit_test(a_failed_append_is_remembered),
        cmocka_unit_test(a_zeroed_buffer_holds_nothing),
        cmocka_unit_test(a_size_that_would_overflow_is_too_large),
        cmocka_unit_test(reserved_room_is_taken_in_afterwards),
        cmocka_unit_test(the_front_can_be_dropped),
        cmocka_unit_test(released_memory_is_the_callers),
        cmocka_unit_test(json_strings_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

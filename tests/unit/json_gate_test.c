/* The JSON gate: what passes, what is refused and why, and in what time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/buf.h"
#include "proto/json_gate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static enum status check(const char *text)
{
    struct json_value value;
    return json_gate_check(slice_of(text), &json_limits_default, &value, NULL);
}

static enum status check_buf(const struct buf *text)
{
    struct json_value value;
    assert_int_equal(buf_status(text), ST_OK);
    return json_gate_check(buf_slice(text), &json_limits_default, &value, NULL);
}

static void what_rfc_8259_allows_passes(void **state)
{
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "0.0",
        "-0.1e+10",
        "1E-7",
        "1e308",
        "123456789",
        "\"\"",
        "\"a\"",
        "{}",
        "[]",
        " [ ] ",
        "\r\n\t {\t}\n",
        "[1,2]",
        "[[],{}]",
        "{\"a\":1,\"b\":[{\"a\":1}]}",
        "{\"\":0}",
        " { \"a\" : 1 , \"b\" : 2 } ",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "\"\x7f\"",
        "\"\\uffff\"",
        "\"/\"",
        "{\"a\":{\"a\":{\"a\":0}}}",
        "[{\"a\":0},{\"a\":0}]",
        "{\"aaaaaaaab\":0,\"aaaaaaaac\":0}",
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        if (check(good[i]))
            fail_msg("refused: %s", good[i]);
    }
    (void)state;
}

static void what_is_not_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "tru",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1.e1",
        "1e",
        "1e+",
        "0x10",
        "1 2",
        "--1",
        "- 1",
        "\"",
        "\"a",
        "'a'",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\",
        "\"\\u",
        "\"\n\"",
        "\"\t\"",
        "\"\x01\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{,}",
        "{\"a\":1]",
        "{\"a\"}",
        "{\"a\":}",
        "{}{}",
        "[] x",
        "{},",
        "/**/1",
        "[1]//",
        "\xef\xbb\xbf{}",
        "\xa0",
        "\x0b[]",
        "[\x0c]",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        if (check(bad[i]) != ST_BAD_REQUEST)
            fail_msg("accepted: %s", bad[i]);
    }
    (void)state;
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
    static const char text[] = "[\"a\0b\"]";
    static const char tail[] = "[]\0";
    struct json_value value;

    assert_int_equal(json_gate_check(SLICE(text), &json_limits_default, &value, NULL),
                     ST_BAD_REQUEST);
    assert_int_equal(json_gate_check(SLICE(tail), &json_limits_default, &value, NULL),
                     ST_BAD_REQUEST);
    (void)state;
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    static const char *const bad[] = {
        "\"\x80\"",         "\"\xc3\"",         "\"\xc3(\"",
        "\"\xc0\xaf\"",     "\"\xe0\x80\xaf\"", "\"\xed\xa0\x80\"",
        "\"\xf5\x80\x80\"", "\"\xff\"",         "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82",       "{\"\xff\":1}",     "\"plain text, then \xfe\"",
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(check(bad[i]), ST_BAD_REQUEST);
    (void)state;
}

static void half_of_a_surrogate_pair_passes_as_it_came(void **state)
{
    static const char *const good[] = {
        "\"\\ud83d\"",         "\"\\ude00\"",    "\"\\ud83d\\ud83d\"",
        "\"\\ud83dx\\ude00\"", "\"\\ud83d\\n\"", "{\"\\udfff\":null}",
    };

    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(check(good[i]), ST_OK);
    assert_int_equal(check("\"\\ud83d\\ude0\""), ST_BAD_REQUEST);
    (void)state;
}

static void equal_keys_are_refused_as_decoded(void **state)
{
    static const char *const bad[] = {
        "{\"a\":1,\"a\":1}",         "{\"a\":1,\"b\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":1}",   "{\"\\u0061\":1,\"a\":1}",
        "{\"\\n\":1,\"\\u000a\":1}", "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":1}",
        "{\"\":1,\"\":1}",           "[{\"x\":{\"a\":1,\"a\":1}}]",
        "{\"x\":{\"a\":1},\"x\":1}", "{\"a\\/b\":1,\"a/b\":1}",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        if (check(bad[i]) != ST_BAD_REQUEST)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(check("{\"\\u0000\":1,\"\":1,\"\\u00000\":1}"), ST_OK);
    (void)state;
}

/* {"k0":…,"k1":…}; key `escaped` is spelled with an escape, key `duplicate` is "k0". */
static void add_object(struct buf *text, size_t keys, size_t escaped, size_t duplicate)
{
    buf_add_byte(text, '{');
    for (size_t i = 0; i < keys; i++) {
        const char *k = i == escaped ? "\\u006b" : "k";
        buf_print(text, "%s\"%s%zu\":{\"k0\":%zu}", i ? "," : "", k,
                  i == duplicate ? 0 : i, i);
    }
    buf_add_byte(text, '}');
}

static void objects_of_any_size_have_their_duplicates_found(void **state)
{
    static const size_t sizes[] = {2, 3, 15, 16, 17, 18, 63, 64, 65, 200, 1000};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t n = sizes[i];
        const size_t none = n;
        const struct {
            size_t escaped, duplicate;
            enum status expected;
        } rows[] = {
            {none,  none,  ST_OK         },
            {n / 2, none,  ST_OK         },
            {none,  n - 1, ST_BAD_REQUEST},
            {n - 1, n - 1, ST_BAD_REQUEST},
            {0,     n - 1, ST_BAD_REQUEST},
            {none,  1,     ST_BAD_REQUEST},
        };
        for (size_t row = 0; row < COUNT(rows); row++) {
            struct buf text = {.max = 1 << 20};
            add_object(&text, n, rows[row].escaped, rows[row].duplicate);
            if (check_buf(&text) != rows[row].expected)
                fail_msg("%zu keys, row %zu", n, row);
            buf_finish(&text);
        }
    }
    (void)state;
}

static void a_long_escaped_key_is_compared_too(void **state)
{
    struct buf text = {.max = 1 << 20};

    buf_add_text(&text, "{\"");
    for (int i = 0; i < 1000; i++)
        buf_add_text(&text, "\\u0078");
    buf_add_text(&text, "\":1,\"");
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&text, 'x');
    buf_add_text(&text, "\":2}");
    assert_int_equal(check_buf(&text), ST_BAD_REQUEST);
    buf_finish(&text);
    (void)state;
}

static void nesting_ends_at_the_ceiling(void **state)
{
    for (size_t depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        struct buf text = {.max = 4096};
        for (size_t i = 0; i < depth; i++)
            buf_add_text(&text, i % 2 ? "{\"a\":" : "[");
        buf_add_text(&text, "0");
        for (size_t i = depth; i-- > 0;)
            buf_add_text(&text, i % 2 ? "}" : "]");
        assert_int_equal(check_buf(&text),
                         depth <= LIMIT_JSON_DEPTH ? ST_OK : ST_BAD_REQUEST);
        buf_finish(&text);
    }
    (void)state;
}

static void each_ceiling_holds_to_the_byte(void **state)
{
    static const struct {
        struct json_limits limits;
        const char *good, *bad, *reason;
    } rows[] = {
        {{2, 9, 9, 9},    "[[0]]",             "[[[]]]",                            "nested too deep"     },
        {{0, 9, 9, 9},    "\"x\"",             "{}",                                "nested too deep"     },
        {{9, 3, 9, 9},    "[1,{}]",            "[1,{\"a\":\"\"}]",                  "too many values"     },
        {{9, 4, 9, 9},    "[1,{\"a\":\"\"}]",  "[1,{\"a\":[2]},3]",                 "too many values"     },
        {{9, 9, 3, 9},    "{\"abc\":\"def\"}", "\"abcd\"",                          "a string is too long"},
        {{9, 9, 3, 9},    "\"abc\"",           "{\"abcd\":1}",                      "a string is too long"},
        {{9, 9, 9, 4},    "[-1.5,1234]",       "12345",                             "a number is too long"},
        {{999, 99, 9, 9}, "[]",                "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested too deep"     },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_value value;
        struct json_fault fault = {0};
        enum status st =
            json_gate_check(slice_of(rows[i].good), &rows[i].limits, &value, &fault);
        assert_int_equal(st, ST_OK);
        st = json_gate_check(slice_of(rows[i].bad), &rows[i].limits, &value, &fault);
        assert_int_equal(st, ST_BAD_REQUEST);
        assert_string_equal(fault.reason, rows[i].reason);
    }
    (void)state;
}

static void a_fault_says_where_and_why(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *reason;
    } rows[] = {
        {"",                  0, "a value is missing"          },
        {"[1, tru]",          4, "neither a value nor a number"},
        {"{\"a\":1,\"a\":2}", 7, "duplicate key"               },
        {"{\"a\":\"b\xff\"}", 7, "not UTF-8"                   },
        {"{\"a\":1 \"b\":2}", 7, "a comma or } is missing"     },
        {"[1;",               2, "a comma or ] is missing"     },
        {"{\"a\" 1}",         5, "a colon is missing"          },
        {"{\"a\":1,}",        7, "a key is missing"            },
        {"[] []",             3, "more text after the value"   },
        {"[\"\\q\"]",         2, "unknown escape in a string"  },
        {"{\"k\":\"x",        7, "a string does not end"       },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_value value;
        struct json_fault fault = {0};
        assert_int_equal(
            json_gate_check(slice_of(rows[i].text), &json_limits_default, &value, &fault),
            ST_BAD_REQUEST);
        assert_string_equal(fault.reason, rows[i].reason);
        assert_int_equal(fault.offset, rows[i].offset);
    }
    (void)state;
}

static const char publish[] =
    " {\"event\" : \"order.paid\", \"r\\u006fom\":\"orders:7\",\"data\":{\"id\":[1,{}],"
    "\"s\":\"}\\\"]\"} ,\"n\": -1.50e3,\"none\":null , \"yes\":true,\"no\":false}\n";

static void every_prefix_is_refused(void **state)
{
    size_t whole = strlen(publish) - 1; /* the last byte is a blank */

    for (size_t n = 0; n <= whole; n++) {
        char *copy = malloc(n + 1); /* exactly n bytes for the sanitizer, and one for 0 */
        struct json_value value;
        assert_non_null(copy);
        memcpy(copy + 1, publish, n);
        enum status st = json_gate_check((struct slice){copy + 1, n},
                                         &json_limits_default, &value, NULL);
        assert_int_equal(st, n == whole ? ST_OK : ST_BAD_REQUEST);
        free(copy);
    }
    (void)state;
}

static void the_members_come_as_they_were_written(void **state)
{
    static const struct {
        const char *key;
        enum json_type type;
        const char *text;
    } expected[] = {
        {"event",      JSON_GATE_STRING, "\"order.paid\""                  },
        {"r\\u006fom", JSON_GATE_STRING, "\"orders:7\""                    },
        {"data",       JSON_GATE_OBJECT, "{\"id\":[1,{}],\"s\":\"}\\\"]\"}"},
        {"n",          JSON_GATE_NUMBER, "-1.50e3"                         },
        {"none",       JSON_GATE_NULL,   "null"                            },
        {"yes",        JSON_GATE_TRUE,   "true"                            },
        {"no",         JSON_GATE_FALSE,  "false"                           },
    };
    struct json_member members[7];
    struct json_member walked;
    struct json_cursor cursor = {0};
    struct json_value top;
    size_t count = 0;

    assert_int_equal(
        json_gate_object(SLICE(publish), &json_limits_default, members, 7, &count, NULL),
        ST_OK);
    assert_int_equal(count, 7);
    json_gate_check(SLICE(publish), &json_limits_default, &top, NULL);
    for (size_t i = 0; i < count; i++) {
        assert_true(slice_is(members[i].key, expected[i].key));
        assert_int_equal(members[i].value.type, expected[i].type);
        assert_true(slice_is(members[i].value.text, expected[i].text));

        assert_true(json_object_next(top.text, &cursor, &walked));
        assert_memory_equal(&walked.key, &members[i].key, sizeof walked.key);
        assert_int_equal(walked.value.type, expected[i].type);
        assert_true(slice_is(walked.value.text, expected[i].text));
    }
    assert_false(json_object_next(top.text, &cursor, &walked));
    (void)state;
}

static void more_members_than_asked_for_are_refused(void **state)
{
    struct json_member members[2];
    struct json_value items[2];
    struct json_fault fault = {0};
    size_t count = 9;

    assert_int_equal(json_gate_object(SLICE("{\"a\":1,\"b\":2,\"c\":3}"),
                                      &json_limits_default, members, 2, &count, &fault),
                     ST_BAD_PAYLOAD);
    assert_int_equal(count, 0);
    assert_string_equal(fault.reason, "too many members");
    assert_int_equal(
        json_gate_array(SLICE("[1,2,3]"), &json_limits_default, items, 2, &count, NULL),
        ST_BAD_PAYLOAD);
    assert_int_equal(
        json_gate_array(SLICE("[1,[2]]"), &json_limits_default, items, 2, &count, NULL),
        ST_OK);
    assert_int_equal(count, 2);
    assert_true(slice_is(items[1].text, "[2]"));
    (void)state;
}

static void a_top_level_of_another_type_is_refused(void **state)
{
    static const char *const others[] = {"1", "\"x\"", "null", "[]", "{}"};
    struct json_member members[1];
    struct json_value items[1];
    size_t count;

    for (size_t i = 0; i < COUNT(others); i++) {
        struct slice text = slice_of(others[i]);
        assert_int_equal(
            json_gate_object(text, &json_limits_default, members, 1, &count, NULL),
            others[i][0] == '{' ? ST_OK : ST_BAD_PAYLOAD);
        assert_int_equal(
            json_gate_array(text, &json_limits_default, items, 1, &count, NULL),
            others[i][0] == '[' ? ST_OK : ST_BAD_PAYLOAD);
    }
    /* Not JSON at all is the graver fault. */
    assert_int_equal(
        json_gate_object(SLICE("[1"), &json_limits_default, members, 1, &count, NULL),
        ST_BAD_REQUEST);
    (void)state;
}

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Bounds are for a sanitizer build on a shared machine: a quadratic check takes minutes.
 */
static void a_megabyte_made_to_be_slow_is_not(void **state)
{
    static const char *const prefixes[] = {
        "",
        "\\u0061",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    for (size_t i = 0; i < COUNT(prefixes); i++) {
        struct buf text = {.max = 2000000};
        buf_add_byte(&text, '{');
        for (unsigned n = 0; n < 99000 && text.len < 1000000; n++)
            buf_print(&text, "\"%s%06x\":0,", prefixes[i], n);
        buf_add_text(&text, "\"z\":0}");
        int64_t from = cpu_us();
        assert_int_equal(check_buf(&text), ST_OK);
        assert_true(cpu_us() - from < 1000000);
        buf_finish(&text);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rfc_8259_allows_passes),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(half_of_a_surrogate_pair_passes_as_it_came),
        cmocka_unit_test(equal_keys_are_refused_as_decoded),
        cmocka_unit_test(objects_of_any_size_have_their_duplicates_found),
        cmocka_unit_test(a_long_escaped_key_is_compared_too),
        cmocka_unit_test(nesting_ends_at_the_ceiling),
        cmocka_unit_test(each_ceiling_holds_to_the_byte),
        cmocka_unit_test(a_fault_says_where_and_why),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(the_members_come_as_they_were_written),
        cmocka_unit_test(more_members_than_asked_for_are_refused),
        cmocka_unit_test(a_top_level_of_another_type_is_refused),
        cmocka_unit_test(a_megabyte_made_to_be_slow_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

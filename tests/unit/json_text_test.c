/* Reading JSON that has passed the gate: walking, finding, decoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/buf.h"
#include "proto/json_gate.h"

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

static void an_array_is_walked_item_by_item(void **state)
{
    static const char *const expected[] = {"1", "\"a,]\"", "[2, [3]]", "{\"x\":[]}",
                                           "null"};
    struct slice text = SLICE("[ 1 ,\"a,]\",[2, [3]] , {\"x\":[]},null ]");
    struct json_cursor cursor = {0};
    struct json_value item;

    assert_int_equal(check("[ 1 ,\"a,]\",[2, [3]] , {\"x\":[]},null ]"), ST_OK);
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(json_array_next(text, &cursor, &item));
        assert_true(slice_is(item.text, expected[i]));
    }
    assert_false(json_array_next(text, &cursor, &item));
    assert_false(json_array_next(text, &cursor, &item));

    cursor = (struct json_cursor){0};
    assert_false(json_array_next(SLICE("[ ]"), &cursor, &item));
    cursor = (struct json_cursor){0};
    assert_false(json_array_next(SLICE("{}"), &cursor, &item));
    cursor = (struct json_cursor){0};
    assert_false(json_array_next((struct slice){0}, &cursor, &item));
    (void)state;
}

static void a_member_is_found_by_its_decoded_name(void **state)
{
    struct slice object = SLICE("{\"a\":1,\"r\\u006fom\":2,\"\\u0061b\":{\"c\":3},"
                                "\"\\ud83d\\ude00\":4,\"nul\\u0000\":5}");

    assert_true(slice_is(json_object_find(object, "a").text, "1"));
    assert_true(slice_is(json_object_find(object, "room").text, "2"));
    assert_true(slice_is(json_object_find(object, "ab").text, "{\"c\":3}"));
    assert_true(slice_is(json_object_find(object, "\xf0\x9f\x98\x80").text, "4"));
    assert_int_equal(json_object_find(object, "c").type, JSON_GATE_NONE);
    assert_int_equal(json_object_find(object, "nul").type, JSON_GATE_NONE);
    assert_int_equal(json_object_find(object, "roo").type, JSON_GATE_NONE);
    assert_int_equal(json_object_find(object, "rooms").type, JSON_GATE_NONE);
    assert_int_equal(json_object_find(SLICE("[1]"), "a").type, JSON_GATE_NONE);
    (void)state;
}

static void strings_are_decoded(void **state)
{
    static const char nul[] = "a\0b";
    static const struct {
        const char *text;
        struct slice plain;
    } rows[] = {
        {"\"\"",                                    {"", 0}                            },
        {"\"plain\"",                               {"plain", 5}                       },
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",          {"\"\\/\b\f\n\r\t", 8}             },
        {"\"\\u0041\\u00e9\\u20AC\\uD83d\\uDe00\"",
         {"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10}                                 },
        {"\"a\\u0000b\"",                           {nul, 3}                           },
        {"\"\\ud83d\\ude00\\ud83d\"",               {"\xf0\x9f\x98\x80\xef\xbf\xbd", 7}},
        {"\"\\ude00\\ud83dx\"",                     {"\xef\xbf\xbd\xef\xbf\xbdx", 7}   },
        {"\"\xc3\xa9\\n\xc3\xa9\"",                 {"\xc3\xa9\n\xc3\xa9", 5}          },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[64];
        struct slice text = slice_of(rows[i].text);
        assert_int_equal(check(rows[i].text), ST_OK);
        assert_true(slice_equal(json_string_decode(text, out), rows[i].plain));
    }
    (void)state;
}

static void a_string_without_escapes_is_lent(void **state)
{
    struct slice text = SLICE("\"plain\"");
    char out[8] = "same";

    assert_ptr_equal(json_string_decode(text, out).ptr, text.ptr + 1);
    assert_string_equal(out, "same");
    (void)state;
}

static void what_the_encoder_writes_passes_and_comes_back(void **state)
{
    char bytes[256];
    char out[2048];
    struct buf text = {.max = 4096};

    for (size_t i = 0; i < 128; i++)
        bytes[i] = (char)i;
    buf_add_json_string(&text, (struct slice){bytes, 128});
    assert_int_equal(check_buf(&text), ST_OK);
    assert_true(slice_equal(json_string_decode(buf_slice(&text), out),
                            (struct slice){bytes, 128}));
    buf_finish(&text);
    (void)state;
}

static void only_whole_numbers_up_to_2_53_are_integers(void **state)
{
    static const char *const bad[] = {
        "-1", "-0", "1.0", "1e3", "9007199254740992", "99999999999999999999999", ""};
    uint64_t value = 7;

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(json_number_to_u64(slice_of(bad[i]), &value));
    assert_int_equal(value, 7);
    assert_true(json_number_to_u64(SLICE("0"), &value));
    assert_int_equal(value, 0);
    assert_true(json_number_to_u64(SLICE("9007199254740991"), &value));
    assert_true(value == 9007199254740991u);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_is_walked_item_by_item),
        cmocka_unit_test(a_member_is_found_by_its_decoded_name),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(a_string_without_escapes_is_lent),
        cmocka_unit_test(what_the_encoder_writes_passes_and_comes_back),
        cmocka_unit_test(only_whole_numbers_up_to_2_53_are_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

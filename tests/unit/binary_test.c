/* Which objects stand for bytes, and where a value is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/binary.h"
#include "proto/json_pointer.h"

#include <stdlib.h>
#include <string.h>

static void an_object_with_this_one_member_is_found(void **state)
{
    static const struct {
        const char *json;
        size_t count;
        const char *first; /* the object */
    } rows[] = {
        {"{\"$binary\":\"AA==\"}",                                     1, "{\"$binary\":\"AA==\"}" },
        {"[1,{\"a\":{ \"$binary\" : \"\" }}]",                         1, "{ \"$binary\" : \"\" }" },
        {"{\"$binary\":\"A\\/A\"},{\"$binary\":\"!\"}",                2, "{\"$binary\":\"A\\/A\"}"},
        {"[{\"$binary\":\"\"},{\"$binary\":\"\"},{\"$binary\":\"\"}]", 3,
         "{\"$binary\":\"\"}"                                                                      },
        {"",                                                           0, NULL                     },
        {"{}",                                                         0, NULL                     },
        {"\"$binary\"",                                                0, NULL                     },
        {"[\"$binary\"]",                                              0, NULL                     },
        {"{\"a\":\"$binary\"}",                                        0, NULL                     },
        {"{\"$binary\":1}",                                            0, NULL                     },
        {"{\"$binary\":{\"base64\":\"AA==\"}}",                        0, NULL                     },
        {"{\"$binary\":\"AA==\",\"subType\":\"00\"}",                  0, NULL                     },
        {"{\"subType\":\"00\",\"$binary\":\"AA==\"}",                  0, NULL                     },
        {"{\"\\u0024binary\":\"AA==\"}",                               0, NULL                     },
        {"{\"$Binary\":\"AA==\"}",                                     0, NULL                     },
        {"[\"{\\\"$binary\\\":\\\"AA==\\\"}\"]",                       0, NULL                     },
        {"{\"{\\\"$binary\":\"AA==\"}",                                0, NULL                     },
        {"[\"{\\\"$binary\",\":\\\"AA==\\\"}\"]",                      0, NULL                     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice json = slice_of(rows[i].json);
        struct binary_spot spot;
        size_t at = 0;

        if (binary_count(json) != rows[i].count)
            fail_msg("%s: %zu", rows[i].json, binary_count(json));
        if (rows[i].count == 0)
            continue;
        assert_true(binary_next(json, &at, &spot));
        if (!slice_is(spot.object, rows[i].first))
            fail_msg("%s: %.*s", rows[i].json, (int)spot.object.len, spot.object.ptr);
        assert_int_equal(at, (size_t)(spot.object.ptr + spot.object.len - json.ptr));
    }
}

static void its_bytes_come_out(void **state)
{
    static const struct {
        const char *json;
        bool is_good;
        struct slice bytes;
    } rows[] = {
        {"{\"$binary\":\"\"}",          true,  {"", 0}        },
        {"{\"$binary\":\"AAEC\"}",      true,  {"\0\1\2", 3}  },
        {"{\"$binary\":\"/+8=\"}",      true,  {"\xff\xef", 2}},
        {"{\"$binary\":\"\\/+8=\"}",    true,  {"\xff\xef", 2}},
        {"{\"$binary\":\"\\u002f+8\"}", true,  {"\xff\xef", 2}},
        {"{\"$binary\":\"A\"}",         false, {"", 0}        },
        {"{\"$binary\":\"AA \"}",       false, {"", 0}        },
        {"{\"$binary\":\"A\\nAA\"}",    false, {"", 0}        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice json = slice_of(rows[i].json);
        struct buf out = {.max = 64};
        struct binary_spot spot;
        size_t at = 0;

        buf_add_text(&out, "x");
        assert_true(binary_next(json, &at, &spot));
        assert_int_equal(binary_add_bytes(&spot, &out), rows[i].is_good);
        assert_true(slice_equal(slice_from(buf_slice(&out), 1), rows[i].bytes));
        assert_int_equal(buf_status(&out), ST_OK);
        buf_finish(&out);
    }
}

static void an_object_is_written_as_it_is_read(void **state)
{
    struct buf json = {.max = 64}, bytes = {.max = 64};
    struct binary_spot spot;
    size_t at = 0;

    (void)state;
    binary_add_object((struct slice){"\0\xff!", 3}, &json);
    assert_true(slice_is(buf_slice(&json), "{\"$binary\":\"AP8h\"}"));
    assert_true(binary_next(buf_slice(&json), &at, &spot));
    assert_true(binary_add_bytes(&spot, &bytes));
    assert_memory_equal(bytes.ptr, "\0\xff!", 3);
    buf_finish(&json);
    buf_finish(&bytes);
}

static void a_full_buffer_takes_no_bytes(void **state)
{
    struct slice json = SLICE("{\"$binary\":\"AAECAAEC\"}");
    struct buf out = {.max = 4};
    struct binary_spot spot;
    size_t at = 0;

    (void)state;
    assert_true(binary_next(json, &at, &spot));
    assert_false(binary_add_bytes(&spot, &out));
    assert_int_equal(buf_status(&out), ST_TOO_LARGE);
    buf_finish(&out);
}

static void every_prefix_is_read_within_its_bounds(void **state)
{
    static const char json[] = "[{ \"$binary\" : \"A\\/==\" } , {\"$binary\":\"AA\"}]";

    (void)state;
    for (size_t len = 0; len < sizeof json; len++) {
        char *copy = malloc(len ? len : 1);
        memcpy(copy, json, len);
        assert_true(binary_count((struct slice){copy, len}) <= 2);
        free(copy);
    }
}

static void a_pointer_leads_to_a_value(void **state)
{
    static const struct {
        const char *json; /* the value begins at the '@' */
        const char *pointer;
    } rows[] = {
        {"@1",                                 ""         },
        {"{\"a\":@1}",                         "/a"       },
        {"[0,[1,{\"b\":2,\"c\":[@3]}]]",       "/1/1/c/0" },
        {"{\"a~b/c\":{\"\":@0}}",              "/a~0b~1c/"},
        {"{\"a\":{\"x\":1},\"b\":{\"x\":@2}}", "/b/x"     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[64];
        struct buf out = {.max = 64};
        size_t at = strcspn(rows[i].json, "@");

        memcpy(json, rows[i].json, at);
        strcpy(json + at, rows[i].json + at + 1);
        json_pointer_add(slice_of(json), json + at, &out);
        if (!slice_is(buf_slice(&out), rows[i].pointer))
            fail_msg("%s: %.*s", json, (int)out.len, out.ptr);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_with_this_one_member_is_found),
        cmocka_unit_test(its_bytes_come_out),
        cmocka_unit_test(an_object_is_written_as_it_is_read),
        cmocka_unit_test(a_full_buffer_takes_no_bytes),
        cmocka_unit_test(every_prefix_is_read_within_its_bounds),
        cmocka_unit_test(a_pointer_leads_to_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

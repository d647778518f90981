/* Base64 against the vectors of RFC 4648 §10, and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/base64.h"

#include <string.h>

static void the_vectors_of_the_rfc_go_both_ways(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } rows[] = {
        {"",             ""        },
        {"f",            "Zg=="    },
        {"fo",           "Zm8="    },
        {"foo",          "Zm9v"    },
        {"foob",         "Zm9vYg=="},
        {"fooba",        "Zm9vYmE="},
        {"foobar",       "Zm9vYmFy"},
        {"\xff\xfe\xfb", "//77"    },
        {"\xfb\xff",     "+/8="    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice bytes = slice_of(rows[i].bytes);
        struct slice text = slice_of(rows[i].text);
        struct buf out = {.max = 64};
        size_t len;
        char decoded[16];

        base64_encode(bytes, &out);
        assert_true(slice_equal(buf_slice(&out), text));
        assert_int_equal(base64_text_len(bytes.len), text.len);
        assert_true(base64_measure(text, &len));
        assert_int_equal(len, bytes.len);
        base64_decode(text, decoded);
        assert_true(slice_equal((struct slice){decoded, len}, bytes));
        buf_finish(&out);
    }
}

static void padding_may_be_left_out(void **state)
{
    char decoded[4];
    size_t len;

    (void)state;
    assert_true(base64_measure(SLICE("Zg"), &len));
    assert_int_equal(len, 1);
    assert_true(base64_measure(SLICE("Zm8"), &len));
    assert_int_equal(len, 2);
    base64_decode(SLICE("Zm8"), decoded);
    assert_memory_equal(decoded, "fo", 2);
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const bad[] = {
        "Z",     "Zg=",      "Z===", "=",     "====",   "Zm9vY",
        "Zm9v=", "Zg==Zg==", "Zm-_", "Zm 9v", "Zm9v\n", "Zm8=="};
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base64_measure(slice_of(bad[i]), &len));
}

static void it_is_decoded_in_its_own_place(void **state)
{
    char bytes[256], text[400];
    struct buf out = {.max = sizeof text};
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t n = 0; n <= sizeof bytes; n++) {
        buf_clear(&out);
        base64_encode((struct slice){bytes, n}, &out);
        if (out.len > 0)
            memcpy(text, out.ptr, out.len);
        assert_true(base64_measure((struct slice){text, out.len}, &len));
        assert_int_equal(len, n);
        base64_decode((struct slice){text, out.len}, text);
        assert_memory_equal(text, bytes, n);
    }
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
        cmocka_unit_test(padding_may_be_left_out),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(it_is_decoded_in_its_own_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

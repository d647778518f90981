/* UTF-8, against the definition of every code point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/utf8.h"

static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(leads[n] | point);
    return n;
}

static void every_code_point_but_the_surrogates_is_a_sequence(void **state)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char bytes[4];
        size_t n = encode(point, bytes);
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        assert_int_equal(utf8_sequence((struct slice){bytes, n}), is_surrogate ? 0 : n);
        assert_int_equal(utf8_sequence((struct slice){bytes, n - 1}), 0);
    }
    (void)state;
}

static void what_is_too_large_is_refused(void **state)
{
    for (uint32_t point = 0x110000; point < 0x200000; point += 0x101) {
        char bytes[4];
        assert_int_equal(encode(point, bytes), 4);
        assert_int_equal(utf8_sequence((struct slice){bytes, 4}), 0);
    }
    (void)state;
}

static void overlong_and_broken_sequences_are_refused(void **state)
{
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3\xc3",
        "\xe2\x82(",
        "\xe2(\xac",
        "\xf0\x9f\x98(",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(utf8_sequence(slice_of(bad[i])), 0);
        assert_false(utf8_is_valid(slice_of(bad[i])));
    }
    (void)state;
}

static void a_text_is_valid_to_its_last_byte(void **state)
{
    struct slice text = SLICE("a\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    static const bool is_whole[] = {true, true,  true,  false, true, false, false,
                                    true, false, false, false, true, true};

    for (size_t n = 0; n <= text.len; n++)
        assert_int_equal(utf8_is_valid(slice_first(text, n)), is_whole[n]);
    assert_true(utf8_is_valid((struct slice){0}));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_but_the_surrogates_is_a_sequence),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(overlong_and_broken_sequences_are_refused),
        cmocka_unit_test(a_text_is_valid_to_its_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

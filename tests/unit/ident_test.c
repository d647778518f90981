/* ULIDs, base64url, hex. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/ident.h"

#include <string.h>

static const uint8_t zeros[IDENT_ULID_RANDOM_BYTES];
static const uint8_t ones[IDENT_ULID_RANDOM_BYTES] = {255, 255, 255, 255, 255,
                                                      255, 255, 255, 255, 255};
static const uint8_t counted[IDENT_ULID_RANDOM_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void a_ulid_is_time_and_then_randomness(void **state)
{
    struct ident_ulids ulids = {0};
    char text[IDENT_ULID_BYTES + 1];

    (void)state;
    ident_ulid_next(&ulids, 1469918176385, counted, text);
    assert_string_equal(text, "01ARYZ6S41041061050R3GG28A");
    assert_int_equal(strlen(text), IDENT_ULID_BYTES);
}

static void ulids_of_one_millisecond_ascend(void **state)
{
    struct ident_ulids ulids = {0};
    char before[IDENT_ULID_BYTES + 1], text[IDENT_ULID_BYTES + 1];

    (void)state;
    ident_ulid_next(&ulids, 1000, counted, before);
    for (int i = 0; i < 1000; i++) {
        ident_ulid_next(&ulids, 1000, zeros, text);
        assert_true(strcmp(before, text) < 0);
        memcpy(before, text, sizeof text);
    }
}

static void ulids_ascend_while_the_clock_goes_back(void **state)
{
    struct ident_ulids ulids = {0};
    char before[IDENT_ULID_BYTES + 1], text[IDENT_ULID_BYTES + 1];

    (void)state;
    ident_ulid_next(&ulids, 1000, counted, before);
    ident_ulid_next(&ulids, 10, zeros, text);
    assert_true(strcmp(before, text) < 0);
    ident_ulid_next(&ulids, -5, zeros, before);
    assert_true(strcmp(text, before) < 0);
}

static void a_used_up_millisecond_takes_the_next(void **state)
{
    struct ident_ulids ulids = {0};
    char before[IDENT_ULID_BYTES + 1], text[IDENT_ULID_BYTES + 1];

    (void)state;
    ident_ulid_next(&ulids, 1000, ones, before);
    ident_ulid_next(&ulids, 1000, counted, text);
    assert_true(strcmp(before, text) < 0);
    assert_int_equal(ulids.ms, 1001);
    assert_memory_equal(ulids.random, counted, sizeof counted);
}

static void base64url_goes_there_and_back(void **state)
{
    uint8_t bytes[64], back[64];
    char text[IDENT_BASE64URL_CHARS(64) + 1];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 200);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        size_t chars = ident_base64url_encode(bytes, n, text);
        assert_int_equal(chars, IDENT_BASE64URL_CHARS(n));
        assert_int_equal(strlen(text), chars);
        assert_true(ident_base64url_decode(slice_of(text), back, &len));
        assert_int_equal(len, n);
        assert_memory_equal(back, bytes, n);
    }
}

static void base64url_has_one_spelling(void **state)
{
    static const char *const bad[] = {
        "A", "AB", "AAB", "AA==", "AA=", "A A", "+/AA", "AAAAA", "AA\n", "\xc3\xa9"};
    uint8_t out[8];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ident_base64url_decode(slice_of(bad[i]), out, &len));
    assert_true(ident_base64url_decode(SLICE("-_8"), out, &len));
    assert_int_equal(len, 2);
    assert_int_equal(out[0], 0xfb);
    assert_int_equal(out[1], 0xff);
}

static void hex_goes_there_and_back(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff, 0xa5};
    char text[IDENT_HEX_CHARS(sizeof bytes) + 1];
    uint8_t back[sizeof bytes];

    (void)state;
    assert_int_equal(ident_hex_encode(bytes, sizeof bytes, text), 10);
    assert_string_equal(text, "007f80ffa5");
    assert_true(ident_hex_decode(slice_of(text), back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_true(ident_hex_decode(SLICE("007F80FFA5"), back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_false(ident_hex_decode(SLICE("007f80ff"), back, sizeof back));
    assert_false(ident_hex_decode(SLICE("007f80ffg5"), back, sizeof back));
    assert_false(ident_hex_decode(SLICE("007f80ff 5"), back, sizeof back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ulid_is_time_and_then_randomness),
        cmocka_unit_test(ulids_of_one_millisecond_ascend),
        cmocka_unit_test(ulids_ascend_while_the_clock_goes_back),
        cmocka_unit_test(a_used_up_millisecond_takes_the_next),
        cmocka_unit_test(base64url_goes_there_and_back),
        cmocka_unit_test(base64url_has_one_spelling),
        cmocka_unit_test(hex_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Positions as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/position.h"

#include <string.h>

static void a_position_has_one_spelling(void **state)
{
    static const struct {
        struct position position;
        const char *text;
    } rows[] = {
        {{0, 0},                                      "AAAAAAAA-0"            },
        {{1, 35},                                     "AAAAAAAB-z"            },
        {{0xffffffffffff, 36},                        "________-10"           },
        {{0xfbefbefbefbe, 1},                         "---------1"            },
        {{0x932271f504d3, 1 + 36 * 35 + 36 * 36 * 2}, "kyJx9QTT-2z1"          },
        {{0xffffffffffff, UINT64_MAX},                "________-3w5e11264sgsf"},
    };
    char text[LIMIT_POSITION_BYTES + 1];
    struct position found;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = position_print(&rows[i].position, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(len, strlen(text));
        assert_int_equal(position_parse(slice_of(text), &found), ST_OK);
        assert_int_equal(found.epoch, rows[i].position.epoch);
        assert_int_equal(found.seq, rows[i].position.seq);
    }
}

static void what_is_not_a_position_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "AAAAAAAA",
                                      "AAAAAAAA-",
                                      "AAAAAAA-1",
                                      "AAAAAAAA 1",
                                      "AAAAAAAA-01",
                                      "AAAAAAAA-Z",
                                      "AAAAAAAA-1 ",
                                      "AAAA+AAA-1",
                                      "AAAA=AAA-1",
                                      "AAAAAAAA--1",
                                      "AAAAAAAA-1.",
                                      "AAAAAAAA-3w5e11264sgsg",
                                      "AAAAAAAA-10000000000000000000000"};
    struct position position = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(position_parse(slice_of(bad[i]), &position), ST_BAD_REQUEST);
    assert_int_equal(position_parse(SLICE("AAAAAAAA-1\0"), &position), ST_BAD_REQUEST);
    assert_int_equal(position.epoch, 7);
    assert_int_equal(position.seq, 7);
}

static void the_epoch_prints_alone(void **state)
{
    char text[9];

    (void)state;
    epoch_print(0x932271f504d3, text);
    assert_string_equal(text, "kyJx9QTT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_has_one_spelling),
        cmocka_unit_test(what_is_not_a_position_is_refused),
        cmocka_unit_test(the_epoch_prints_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Durations and sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/units.h"

#include <string.h>

struct row {
    const char *text;
    uint64_t value;
};

static void durations_have_a_unit(void **state)
{
    static const struct row rows[] = {
        {"0s",    0      },
        {"250ms", 250    },
        {"25s",   25000  },
        {"5m",    300000 },
        {"1h",    3600000},
        {"90s",   90000  },
    };
    char text[UNITS_TEXT_BYTES];
    const char *reason;
    uint64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(units_parse_duration(slice_of(rows[i].text), &ms, &reason),
                         ST_OK);
        assert_int_equal(ms, rows[i].value);
        assert_int_equal(units_print_duration(ms, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void sizes_have_a_unit(void **state)
{
    static const struct row rows[] = {
        {"0B",    0         },
        {"512B",  512       },
        {"64KiB", 65536     },
        {"1MB",   1000000   },
        {"1MiB",  1048576   },
        {"3KB",   3000      },
        {"2GiB",  2147483648},
    };
    char text[UNITS_TEXT_BYTES];
    const char *reason;
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(units_parse_size(slice_of(rows[i].text), &bytes, &reason),
                         ST_OK);
        assert_int_equal(bytes, rows[i].value);
        assert_int_equal(units_print_size(bytes, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void the_largest_value_fits_its_text(void **state)
{
    char text[UNITS_TEXT_BYTES];

    (void)state;
    assert_int_equal(units_print_duration(UINT64_MAX, text), 22);
    assert_string_equal(text, "18446744073709551615ms");
    assert_int_equal(units_print_size(UINT64_MAX, text), 21);
}

static void a_bare_number_is_asked_for_its_unit(void **state)
{
    const char *reason;
    uint64_t value;

    (void)state;
    assert_int_equal(units_parse_duration(SLICE("30"), &value, &reason), ST_BAD_PAYLOAD);
    assert_string_equal(reason, "needs a unit, for instance 250ms, 25s, 5m or 1h");
    assert_int_equal(units_parse_size(SLICE("0"), &value, &reason), ST_BAD_PAYLOAD);
    assert_string_equal(reason, "needs a unit, for instance 512B, 64KiB or 1MB");
}

static void what_is_no_duration_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *text;
        const char *word; /* of the reason */
    } rows[] = {
        {"",                      "whole number"},
        {"s",                     "whole number"},
        {"-5s",                   "whole number"},
        {"1.5h",                  "whole number"},
        {"1,5h",                  "whole number"},
        {" 5s",                   "whole number"},
        {"5 s",                   "unknown unit"},
        {"5s ",                   "unknown unit"},
        {"5S",                    "unknown unit"},
        {"5min",                  "unknown unit"},
        {"5d",                    "unknown unit"},
        {"1h30m",                 "unknown unit"},
        {"99999999999999999999s", "too long"    },
        {"9223372036854775807s",  "too long"    },
        {"2562047788016h",        "too long"    },
    };
    const char *reason;
    uint64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reason = "";
        assert_int_equal(units_parse_duration(slice_of(rows[i].text), &ms, &reason),
                         ST_BAD_PAYLOAD);
        assert_non_null(strstr(reason, rows[i].word));
    }
    assert_int_equal(ms, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_a_unit),
        cmocka_unit_test(sizes_have_a_unit),
        cmocka_unit_test(the_largest_value_fits_its_text),
        cmocka_unit_test(a_bare_number_is_asked_for_its_unit),
        cmocka_unit_test(what_is_no_duration_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Moments as clients write them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/moment.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *json;
    enum moment_unit unit;
    int64_t ms; /* -1: none */
};

static int64_t read_moment(const char *json, enum moment_unit unit)
{
    int64_t ms = -2;

    return moment_read(slice_of(json), unit, &ms) ? ms : -1;
}

static void a_moment_is_read_in_its_unit(void **state)
{
    static const struct row rows[] = {
        {"1763757600123",                MOMENT_AUTO, 1763757600123 },
        {"1763757600",                   MOMENT_AUTO, 1763757600000 },
        {"1763757600.5",                 MOMENT_AUTO, 1763757600500 },
        {"1763757600123.9",              MOMENT_AUTO, 1763757600123 },
        {"\"1763757600123\"",            MOMENT_AUTO, 1763757600123 },
        {"\"2025-11-21T20:40:00.123Z\"", MOMENT_AUTO, 1763757600123 },
        {"\"2025-11-21T20:40:00.123Z\"", MOMENT_ISO,  1763757600123 },
        {"1763757600",                   MOMENT_MS,   1763757600    },
        {"1763757600",                   MOMENT_S,    1763757600000 },
        {"17637576001",                  MOMENT_S,    17637576001000},
        {"1.7637576e12",                 MOMENT_MS,   1763757600000 },
        {"0",                            MOMENT_AUTO, 0             },
        {"-5",                           MOMENT_AUTO, 0             },
        {"253402300800000",              MOMENT_MS,   -1            },
        {"1e400",                        MOMENT_MS,   -1            },
        {"1763757600123",                MOMENT_ISO,  -1            },
        {"\"1763757600123\"",            MOMENT_ISO,  -1            },
        {"\"2025-11-21T20:40:00Z\"",     MOMENT_MS,   -1            },
        {"\"\"",                         MOMENT_AUTO, -1            },
        {"\"yesterday\"",                MOMENT_AUTO, -1            },
        {"\"0x10\"",                     MOMENT_AUTO, -1            },
        {"\"nan\"",                      MOMENT_AUTO, -1            },
        {"\"12 \"",                      MOMENT_AUTO, -1            },
        {"\"1\\u0032\"",                 MOMENT_AUTO, -1            },
        {"true",                         MOMENT_AUTO, -1            },
        {"null",                         MOMENT_AUTO, -1            },
        {"{\"at\":1}",                   MOMENT_AUTO, -1            },
        {"[1763757600123]",              MOMENT_AUTO, -1            },
        {"",                             MOMENT_AUTO, -1            },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(read_moment(rows[i].json, rows[i].unit), rows[i].ms);
}

static void an_iso_text_is_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01",                     0              },
        {"2000-02-29T00:00Z",              951782400000   },
        {"2025-11-21",                     1763683200000  },
        {"2025-11-21T20:40",               1763757600000  },
        {"2025-11-21 20:40:00",            1763757600000  },
        {"2025-11-21t20:40:00z",           1763757600000  },
        {"2025-11-21T22:40:00+02:00",      1763757600000  },
        {"2025-11-21T22:40:00+0200",       1763757600000  },
        {"2025-11-21T15:10:00-05:30",      1763757600000  },
        {"2025-11-21T15:40:00-05",         1763757600000  },
        {"2025-11-21T20:40:00,5Z",         1763757600500  },
        {"2025-11-21T20:40:00.123987654Z", 1763757600123  },
        {"2025-11-21T20:40:60Z",           1763757660000  },
        {"9999-12-31T23:59:59.999Z",       253402300799999},
        {"0001-01-01T00:00:00Z",           0              },
        {"2025-02-29",                     -1             },
        {"1900-02-29",                     -1             },
        {"2025-13-01",                     -1             },
        {"2025-00-01",                     -1             },
        {"2025-04-31",                     -1             },
        {"0000-01-01",                     -1             },
        {"2025-11-21T24:00Z",              -1             },
        {"2025-11-21T20:60Z",              -1             },
        {"2025-11-21T20:40:61Z",           -1             },
        {"2025-11-21T20:40:00.Z",          -1             },
        {"2025-11-21T20:40:00Zx",          -1             },
        {"2025-11-21T20:40:00+24:00",      -1             },
        {"2025-11-21T20:40:00+1",          -1             },
        {"2025-11-21T",                    -1             },
        {"2025-11-2",                      -1             },
        {"20251121",                       -1             },
        {"",                               -1             },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -2;
        bool is_read = moment_read_iso(slice_of(rows[i].text), &ms);
        assert_int_equal(is_read ? ms : -1, rows[i].ms);
    }
}

/* Each prefix in memory of its own: nothing behind it is looked at. */
static void every_prefix_is_read_within_its_bounds(void **state)
{
    static const char text[] = "\"2025-11-21T22:40:00.123+02:00\"";

    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        char *copy = malloc(n ? n : 1);
        int64_t ms = 0;
        memcpy(copy, text, n);
        moment_read((struct slice){copy, n}, MOMENT_AUTO, &ms);
        moment_read_iso((struct slice){copy, n}, &ms);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_read_in_its_unit),
        cmocka_unit_test(an_iso_text_is_read_whole_or_not_at_all),
        cmocka_unit_test(every_prefix_is_read_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

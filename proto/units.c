/* Numbers with a unit: see the header. */
#include "proto/units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* A family of units, the largest first, and what it says about a text that it refuses. */
struct units {
    const struct unit *rows;
    size_t count;
    const char *no_number;
    const char *no_unit;
    const char *unknown_unit;
    const char *too_large;
};

static const struct unit duration_rows[] = {
    {"h",  3600000},
    {"m",  60000  },
    {"s",  1000   },
    {"ms", 1      },
};

static const struct unit size_rows[] = {
    {"GiB", 1024u * 1024 * 1024},
    {"GB",  1000u * 1000 * 1000},
    {"MiB", 1024u * 1024       },
    {"MB",  1000u * 1000       },
    {"KiB", 1024               },
    {"KB",  1000               },
    {"B",   1                  },
};

static const struct units durations = {
    .rows = duration_rows,
    .count = sizeof duration_rows / sizeof *duration_rows,
    .no_number = "must be a whole number with a unit, for instance 250ms, 25s, 5m or 1h",
    .no_unit = "needs a unit, for instance 250ms, 25s, 5m or 1h",
    .unknown_unit = "has an unknown unit: write ms, s, m or h right after the number",
    .too_large = "is too long a time",
};

static const struct units sizes = {
    .rows = size_rows,
    .count = sizeof size_rows / sizeof *size_rows,
    .no_number = "must be a whole number with a unit, for instance 512B, 64KiB or 1MB",
    .no_unit = "needs a unit, for instance 512B, 64KiB or 1MB",
    .unknown_unit = "has an unknown unit: write B, KB, KiB, MB, MiB, GB or GiB right "
                    "after the number",
    .too_large = "is too large a size",
};

static enum status parse(const struct units *units, struct slice text, uint64_t *value,
                         const char **reason)
{
    uint64_t number;
    size_t digits = 0;

    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    struct slice name = slice_from(text, digits);
    bool has_fraction = name.len > 0 && (name.ptr[0] == '.' || name.ptr[0] == ',');

    if (digits == 0 || has_fraction) {
        *reason = units->no_number;
        return ST_BAD_PAYLOAD;
    }
    if (name.len == 0) {
        *reason = units->no_unit;
        return ST_BAD_PAYLOAD;
    }
    for (size_t i = 0; i < units->count; i++) {
        uint64_t factor = units->rows[i].factor;
        if (!slice_is(name, units->rows[i].name))
            continue;
        if (!slice_to_u64(slice_first(text, digits), &number) ||
            number > INT64_MAX / factor) {
            *reason = units->too_large;
            return ST_BAD_PAYLOAD;
        }
        *value = number * factor;
        return ST_OK;
    }
    *reason = units->unknown_unit;
    return ST_BAD_PAYLOAD;
}

static size_t print(const struct units *units, uint64_t value, char out[UNITS_TEXT_BYTES])
{
    size_t i = 0;

    /* The last unit has the factor 1, so the search ends. */
    while (value % units->rows[i].factor != 0)
        i++;
    int len = snprintf(out, UNITS_TEXT_BYTES, "%" PRIu64 "%s",
                       value / units->rows[i].factor, units->rows[i].name);
    return (size_t)len;
}

enum status units_parse_duration(struct slice text, uint64_t *ms, const char **reason)
{
    return parse(&durations, text, ms, reason);
}

enum status units_parse_size(struct slice text, uint64_t *bytes, const char **reason)
{
    return parse(&sizes, text, bytes, reason);
}

size_t units_print_duration(uint64_t ms, char out[UNITS_TEXT_BYTES])
{
    return ms ? print(&durations, ms, out)
              : (size_t)snprintf(out, UNITS_TEXT_BYTES, "0s");
}

size_t units_print_size(uint64_t bytes, char out[UNITS_TEXT_BYTES])
{
    return bytes ? print(&sizes, bytes, out)
                 : (size_t)snprintf(out, UNITS_TEXT_BYTES, "0B");
}

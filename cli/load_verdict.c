/* Limits and verdicts: see the header. */
#include "cli/load_verdict.h"

#include "proto/suggest.h"
#include "proto/units.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MS_US = 1000
};

static uint64_t p50(const struct load_report *report)
{
    return load_histogram_at(&report->delivery, 500);
}

static uint64_t p95(const struct load_report *report)
{
    return load_histogram_at(&report->delivery, 950);
}

static uint64_t p99(const struct load_report *report)
{
    return load_histogram_at(&report->delivery, 990);
}

static uint64_t max(const struct load_report *report)
{
    return report->delivery.max;
}

static uint64_t lost(const struct load_report *report)
{
    return report->lost;
}

static uint64_t doubled(const struct load_report *report)
{
    return report->doubled;
}

static uint64_t disordered(const struct load_report *report)
{
    return report->disordered;
}

static uint64_t failed(const struct load_report *report)
{
    return report->failed;
}

static uint64_t refused(const struct load_report *report)
{
    return report->in.refused;
}

static uint64_t closed(const struct load_report *report)
{
    return report->closed;
}

static const struct load_figure figures[] = {
    {"p50",        true,  p50       },
    {"p95",        true,  p95       },
    {"p99",        true,  p99       },
    {"max",        true,  max       },
    {"lost",       false, lost      },
    {"doubled",    false, doubled   },
    {"disordered", false, disordered},
    {"failed",     false, failed    },
    {"refused",    false, refused   },
    {"closed",     false, closed    },
};
enum {
    FIGURES = sizeof figures / sizeof *figures
};
_Static_assert((size_t)FIGURES <= (size_t)LOAD_LIMITS_MAX, "each may have its limit");

static void set(struct load_limits *limits, const struct load_figure *figure,
                uint64_t value)
{
    size_t i = 0;

    while (i < limits->count && limits->items[i].figure != figure)
        i++;
    limits->items[i] = (struct load_limit){figure, value};
    if (i == limits->count)
        limits->count++;
}

void load_limits_init(struct load_limits *limits)
{
    *limits = (struct load_limits){0};
    for (size_t i = 0; i < FIGURES; i++)
        if (!figures[i].is_time)
            set(limits, &figures[i], 0);
}

static const struct load_figure *find(struct slice name, char error[DIAL_ERROR_BYTES])
{
    const char *names[FIGURES];

    for (size_t i = 0; i < FIGURES; i++) {
        if (slice_is(name, figures[i].name))
            return &figures[i];
        names[i] = figures[i].name;
    }
    const char *nearest = suggest_nearest(name, names, FIGURES);
    snprintf(error, DIAL_ERROR_BYTES,
             "--assert knows no \"%.*s\": %s%s, for instance p95=200ms",
             (int)slice_first(name, 40).len, name.ptr,
             nearest ? "did you mean " : "try p95", nearest ? nearest : "");
    return NULL;
}

/* Durations as everywhere, and microseconds. */
static bool read_time(struct slice text, uint64_t *us)
{
    struct slice number = slice_first(text, text.len > 2 ? text.len - 2 : 0);
    const char *reason;

    if (slice_is(slice_from(text, number.len), "us") && slice_to_u64(number, us))
        return true;
    if (units_parse_duration(text, us, &reason))
        return false;
    *us *= MS_US;
    return true;
}

static bool parse_one(struct load_limits *limits, struct slice item,
                      char error[DIAL_ERROR_BYTES])
{
    struct slice name, text;
    uint64_t value;

    slice_cut(item, '=', &name, &text);
    const struct load_figure *figure = find(name, error);
    if (!figure)
        return false;
    if (figure->is_time ? !read_time(text, &value) : !slice_to_u64(text, &value)) {
        snprintf(error, DIAL_ERROR_BYTES, "--assert %s needs %s", figure->name,
                 figure->is_time ? "a time, for instance p95=200ms"
                                 : "a number, for instance lost=0");
        return false;
    }
    set(limits, figure, value);
    return true;
}

bool load_limits_parse(struct load_limits *limits, struct slice text,
                       char error[DIAL_ERROR_BYTES])
{
    struct slice item;
    bool has_more;

    do {
        has_more = slice_cut(text, ',', &item, &text);
        if (!parse_one(limits, item, error))
            return false;
    } while (has_more);
    return true;
}

static bool is_kept(const struct load_limit *limit, const struct load_report *report)
{
    /* A percentile of nothing keeps no promise. */
    if (limit->figure->is_time && report->delivery.count == 0)
        return false;
    return limit->figure->of(report) <= limit->value;
}

bool load_limits_are_kept(const struct load_limits *limits,
                          const struct load_report *report)
{
    for (size_t i = 0; i < limits->count; i++)
        if (!is_kept(&limits->items[i], report))
            return false;
    return true;
}

static void print_value(struct buf *out, const struct load_figure *figure, uint64_t value)
{
    char text[LOAD_TIME_BYTES];

    if (!figure->is_time) {
        buf_add_u64(out, value);
        return;
    }
    load_time_print(value, text);
    buf_add_text(out, text);
}

static void print_figure(struct buf *out, const struct load_figure *figure,
                         const struct load_report *report)
{
    if (figure->is_time && report->delivery.count == 0)
        buf_add_text(out, "none");
    else
        print_value(out, figure, figure->of(report));
}

/* Counts are worth a word only when they are wrong. */
void load_verdict_print(struct buf *out, const struct load_limits *limits,
                        const struct load_report *report)
{
    bool is_pass = load_limits_are_kept(limits, report);
    const char *glue = " ";

    buf_add_text(out, is_pass ? "PASS" : "FAIL");
    for (size_t i = 0; i < limits->count; i++) {
        const struct load_limit *limit = &limits->items[i];
        if (is_pass ? !limit->figure->is_time : is_kept(limit, report))
            continue;
        buf_print(out, "%s%s=", glue, limit->figure->name);
        print_figure(out, limit->figure, report);
        if (!is_pass) {
            buf_add_text(out, " > ");
            print_value(out, limit->figure, limit->value);
            glue = ", ";
        }
    }
}

void load_time_print(uint64_t us, char out[LOAD_TIME_BYTES])
{
    if (us < MS_US)
        snprintf(out, LOAD_TIME_BYTES, "%" PRIu64 "us", us);
    else if (us < 10 * MS_US)
        snprintf(out, LOAD_TIME_BYTES, "%.1fms", (double)us / MS_US);
    else if (us < 10000ULL * MS_US)
        snprintf(out, LOAD_TIME_BYTES, "%" PRIu64 "ms", (us + MS_US / 2) / MS_US);
    else
        snprintf(out, LOAD_TIME_BYTES, "%.1fs", (double)us / MS_US / 1000);
}

/* Limits are read strictly, and a verdict names what broke them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_usage.h"
#include "cli/load_verdict.h"

#include <stdlib.h>
#include <string.h>

static struct load_report *a_report(uint64_t delivery_us, uint64_t lost)
{
    struct load_report *report = calloc(1, sizeof *report);

    assert_non_null(report);
    load_histogram_add(&report->delivery, delivery_us);
    report->lost = lost;
    return report;
}

static void assert_verdict(const char *limit, uint64_t delivery_us, uint64_t lost,
                           const char *expected)
{
    struct load_report *report = a_report(delivery_us, lost);
    struct buf out = {.max = LOAD_VERDICT_BYTES};
    struct load_limits limits;
    char error[DIAL_ERROR_BYTES] = "";

    load_limits_init(&limits);
    assert_true(load_limits_parse(&limits, slice_of(limit), error));
    load_verdict_print(&out, &limits, report);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    assert_int_equal(load_limits_are_kept(&limits, report),
                     strncmp(expected, "PASS", 4) == 0);
    buf_finish(&out);
    free(report);
}

static void a_verdict_names_its_figures(void **state)
{
    (void)state;
    assert_verdict("p95=200ms", 41000, 0, "PASS p95=41ms");
    assert_verdict("p95=200ms", 412000, 0, "FAIL p95=412ms > 200ms");
    assert_verdict("p95=200ms", 412000, 3, "FAIL lost=3 > 0, p95=412ms > 200ms");
    assert_verdict("p95=200ms,lost=5,p99=1s", 99, 3, "PASS p95=99us p99=99us");
    assert_verdict("p95=1us", 1, 0, "PASS p95=1us");
    assert_verdict("max=2ms,max=1us", 2, 0, "FAIL max=2us > 1us");
}

static void a_percentile_of_nothing_keeps_no_promise(void **state)
{
    struct load_report *report = calloc(1, sizeof *report);
    struct buf out = {.max = LOAD_VERDICT_BYTES};
    struct load_limits limits;
    char error[DIAL_ERROR_BYTES];

    (void)state;
    assert_non_null(report);
    load_limits_init(&limits);
    assert_true(load_limits_are_kept(&limits, report));
    assert_true(load_limits_parse(&limits, SLICE("p50=1s"), error));
    assert_false(load_limits_are_kept(&limits, report));
    load_verdict_print(&out, &limits, report);
    assert_true(slice_is(buf_slice(&out), "FAIL p50=none > 1000ms"));
    buf_finish(&out);
    free(report);
}

static void what_is_no_limit_is_refused_with_a_sentence(void **state)
{
    static const char *const bad[] = {"",         "p95",      "p95=",     "p95=200",
                                      "p95=us",   "p96=1ms",  "lost=few", "lost=-1",
                                      "p95=1ms,", "lost=1ms", "P95=1ms",  "p95=1.5ms",
                                      "=",        ",",        "p95 =1ms"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct load_limits limits;
        char error[DIAL_ERROR_BYTES] = "";
        load_limits_init(&limits);
        if (load_limits_parse(&limits, slice_of(bad[i]), error) || error[0] == '\0')
            fail_msg("\"%s\" passed for a limit", bad[i]);
    }
}

static void times_are_short(void **state)
{
    static const struct {
        uint64_t us;
        const char *text;
    } rows[] = {
        {0,        "0us"   },
        {999,      "999us" },
        {1000,     "1.0ms" },
        {4149,     "4.1ms" },
        {41499,    "41ms"  },
        {412000,   "412ms" },
        {9999000,  "9999ms"},
        {12300000, "12.3s" }
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[LOAD_TIME_BYTES];
        load_time_print(rows[i].us, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void memory_is_read_from_the_status_of_a_process(void **state)
{
    (void)state;
    assert_int_equal(
        load_usage_read_rss(SLICE("Name:\tx\nVmHWM:\t 9 kB\nVmRSS:\t  1234 kB\n")),
        1234 * 1024);
    assert_int_equal(load_usage_read_rss(SLICE("Name:\tx\nVmRSS:\tmuch\n")), 0);
    assert_int_equal(load_usage_read_rss(SLICE("")), 0);
    assert_true(load_usage_of_self().rss_bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_names_its_figures),
        cmocka_unit_test(a_percentile_of_nothing_keeps_no_promise),
        cmocka_unit_test(what_is_no_limit_is_refused_with_a_sentence),
        cmocka_unit_test(times_are_short),
        cmocka_unit_test(memory_is_read_from_the_status_of_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

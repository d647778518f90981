/* Counters, and the text Prometheus reads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/metrics.h"

#include <stdio.h>
#include <string.h>

static void gauges_go_up_and_down(void **state)
{
    struct metrics metrics = {0};
    struct metrics_snapshot snapshot;

    (void)state;
    metrics_add(&metrics, METRIC_CONNECTIONS, 3);
    metrics_add(&metrics, METRIC_CONNECTIONS, -1);
    metrics_set(&metrics, METRIC_LOG_EVENTS, 9);
    metrics_snapshot(&metrics, &snapshot);
    assert_int_equal(snapshot.values[METRIC_CONNECTIONS], 2);
    assert_int_equal(snapshot.values[METRIC_LOG_EVENTS], 9);
}

static void every_source_is_one_labelled_sample(void **state)
{
    struct metrics_snapshot own = {.values = {[METRIC_PUBLISHED] = 5}};
    struct metrics_snapshot g1 = {.values = {[METRIC_PUBLISHED] = 7}};
    const struct metrics_source sources[] = {
        {NULL,             &own},
        {"gateway=\"g1\"", &g1 },
    };
    struct buf out = {.max = 64 * 1024};

    (void)state;
    metrics_print(&out, sources, 2);
    buf_add_byte(&out, '\0');
    assert_int_equal(buf_status(&out), ST_OK);
    assert_non_null(strstr(out.ptr, "# HELP sidecast_published_total Events accepted.\n"
                                    "# TYPE sidecast_published_total counter\n"
                                    "sidecast_published_total 5\n"
                                    "sidecast_published_total{gateway=\"g1\"} 7\n"));
    buf_finish(&out);
}

static void a_reason_stands_beside_the_source(void **state)
{
    struct metrics_snapshot own = {{0}};
    struct metrics_snapshot g1 = {.values = {[METRIC_WAIVED_EXCEPT] = 7}};
    const struct metrics_source sources[] = {
        {NULL,             &own},
        {"gateway=\"g1\"", &g1 },
    };
    struct buf out = {.max = 64 * 1024};

    (void)state;
    metrics_print(&out, sources, 2);
    buf_add_byte(&out, '\0');
    assert_non_null(
        strstr(out.ptr, "sidecast_waived_total{reason=\"except\"} 0\n"
                        "sidecast_waived_total{gateway=\"g1\",reason=\"except\"} 7\n"));
    const char *help = strstr(out.ptr, "# HELP sidecast_waived_total");
    assert_non_null(help);
    assert_null(strstr(help + 1, "# HELP sidecast_waived_total"));
    buf_finish(&out);
}

static void every_metric_has_a_row_and_counters_end_in_total(void **state)
{
    struct metrics_snapshot own = {{0}};
    const struct metrics_source source = {NULL, &own};
    struct buf out = {.max = 64 * 1024};
    size_t types = 0;

    (void)state;
    metrics_print(&out, &source, 1);
    buf_add_byte(&out, '\0');
    assert_null(strstr(out.ptr, "(null)"));
    for (char *line = out.ptr; (line = strstr(line, "# TYPE ")); line++) {
        char name[80], type[20];
        assert_int_equal(sscanf(line, "# TYPE %79s %19s", name, type), 2);
        bool is_total = strcmp(name + strlen(name) - 6, "_total") == 0;
        assert_int_equal(is_total, strcmp(type, "counter") == 0);
        types++;
    }
    assert_true(types > METRIC_COUNT / 2); /* reasons share their row's name */
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gauges_go_up_and_down),
        cmocka_unit_test(every_source_is_one_labelled_sample),
        cmocka_unit_test(a_reason_stands_beside_the_source),
        cmocka_unit_test(every_metric_has_a_row_and_counters_end_in_total),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

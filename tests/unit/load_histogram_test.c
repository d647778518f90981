/* Percentiles of fixed memory: never below the truth, and at most 1/128 above it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_histogram.h"

#include <stdlib.h>

static struct load_histogram *histogram;

static int empty_it(void **state)
{
    (void)state;
    free(histogram);
    histogram = calloc(1, sizeof *histogram);
    return histogram ? 0 : -1;
}

static void an_empty_one_has_no_percentiles(void **state)
{
    (void)state;
    assert_int_equal(load_histogram_at(histogram, 500), 0);
    assert_int_equal(load_histogram_below(histogram, 1000), 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 100; value++)
        load_histogram_add(histogram, value);
    assert_int_equal(load_histogram_at(histogram, 500), 50);
    assert_int_equal(load_histogram_at(histogram, 950), 95);
    assert_int_equal(load_histogram_at(histogram, 990), 99);
    assert_int_equal(load_histogram_at(histogram, 1000), 100);
    assert_int_equal(histogram->max, 100);
}

static void a_percentile_is_at_most_one_step_too_high(void **state)
{
    static const uint64_t values[] = {
        127,   128,     129,      255,        256,
        1000,  4095,    4096,     65535,      1000000,
        99999, 1234567, 60000000, 1ULL << 35, (1ULL << 36) - 1};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        empty_it(NULL);
        load_histogram_add(histogram, values[i]);
        load_histogram_add(histogram,
                           1ULL << 36); /* so that the largest is another one */
        uint64_t told = load_histogram_at(histogram, 500);
        assert_true(told >= values[i]);
        assert_true(told - values[i] <= values[i] / LOAD_HISTOGRAM_STEPS);
    }
}

static void the_largest_is_told_as_it_is(void **state)
{
    (void)state;
    load_histogram_add(histogram, 1);
    load_histogram_add(histogram, 1000001);
    assert_int_equal(load_histogram_at(histogram, 1000), 1000001);
    load_histogram_add(histogram, UINT64_MAX / 2);
    assert_int_equal(load_histogram_at(histogram, 1000), UINT64_MAX / 2);
}

static void one_outlier_in_a_hundred_is_beyond_p99(void **state)
{
    (void)state;
    for (int i = 0; i < 99; i++)
        load_histogram_add(histogram, 10);
    load_histogram_add(histogram, 100000);
    assert_int_equal(load_histogram_at(histogram, 990), 10);
    assert_int_equal(load_histogram_at(histogram, 991), 100000);
}

static void values_below_a_power_of_two_are_counted(void **state)
{
    (void)state;
    load_histogram_add(histogram, 10);
    load_histogram_add(histogram, 127);
    load_histogram_add(histogram, 128);
    load_histogram_add(histogram, 3000);
    assert_int_equal(load_histogram_below(histogram, 128), 2);
    assert_int_equal(load_histogram_below(histogram, 256), 3);
    assert_int_equal(load_histogram_below(histogram, 4096), 4);
}

static int free_it(void **state)
{
    (void)state;
    free(histogram);
    histogram = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_one_has_no_percentiles, empty_it,
                                        free_it),
        cmocka_unit_test_setup_teardown(small_values_are_exact, empty_it, free_it),
        cmocka_unit_test_setup_teardown(a_percentile_is_at_most_one_step_too_high,
                                        empty_it, free_it),
        cmocka_unit_test_setup_teardown(the_largest_is_told_as_it_is, empty_it, free_it),
        cmocka_unit_test_setup_teardown(one_outlier_in_a_hundred_is_beyond_p99, empty_it,
                                        free_it),
        cmocka_unit_test_setup_teardown(values_below_a_power_of_two_are_counted, empty_it,
                                        free_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

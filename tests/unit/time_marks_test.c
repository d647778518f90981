/* Moments become positions: exactly, whatever clocks do, within bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/time_marks.h"

#include <stdlib.h>

static void a_moment_is_where_the_log_reached_it_first(void **state)
{
    /* The clock steps back after the fourth event, and two share a millisecond. */
    static const int64_t at[] = {100, 105, 105, 110, 90, 95, 111};
    static const struct {
        int64_t moment;
        uint64_t before;
    } rows[] = {
        {0,   0},
        {90,  0},
        {100, 0},
        {101, 1},
        {105, 1},
        {106, 3},
        {110, 3},
        {111, 6},
        {112, 7},
    };
    struct time_marks marks = {0};

    (void)state;
    time_marks_clear(&marks, 50);
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        time_marks_add(&marks, i + 1, at[i]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(time_marks_before(&marks, rows[i].moment), rows[i].before);
    assert_int_equal(time_marks_from(&marks), 50);
    time_marks_finish(&marks);
}

static void a_log_without_events_has_nothing_before_a_moment(void **state)
{
    struct time_marks marks = {0};

    (void)state;
    time_marks_clear(&marks, 50);
    assert_int_equal(time_marks_before(&marks, 1000), 0);
    assert_int_equal(time_marks_from(&marks), 50);
    time_marks_finish(&marks);
}

static void a_log_that_is_read_again_begins_with_its_first_event(void **state)
{
    struct time_marks marks = {0};

    (void)state;
    time_marks_clear(&marks, 1000);
    time_marks_add(&marks, 8, 300);
    time_marks_add(&marks, 9, 200); /* later: the clock had stepped back */
    assert_int_equal(time_marks_from(&marks), 300);
    assert_int_equal(time_marks_before(&marks, 301), 9);
    time_marks_finish(&marks);
}

/* Coarser is earlier: it may repeat, and loses nothing. */
static void too_many_moments_become_coarser_and_never_later(void **state)
{
    struct time_marks marks = {0};
    const uint64_t count = 10 * TIME_MARKS_MAX;

    (void)state;
    time_marks_clear(&marks, 0);
    for (uint64_t seq = 1; seq <= count; seq++)
        time_marks_add(&marks, seq, (int64_t)seq);
    assert_in_range(marks.count, TIME_MARKS_MAX / 2, TIME_MARKS_MAX);
    for (uint64_t moment = 1; moment <= count; moment++)
        assert_true(time_marks_before(&marks, (int64_t)moment) < moment);
    /* The latest ones stay exact. */
    for (uint64_t moment = count - TIME_MARKS_MAX / 4; moment <= count; moment++)
        assert_int_equal(time_marks_before(&marks, (int64_t)moment), moment - 1);
    time_marks_finish(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_is_where_the_log_reached_it_first),
        cmocka_unit_test(a_log_without_events_has_nothing_before_a_moment),
        cmocka_unit_test(a_log_that_is_read_again_begins_with_its_first_event),
        cmocka_unit_test(too_many_moments_become_coarser_and_never_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is lost, doubled and out of order in a sequence, told apart. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_measure.h"

#include <stdlib.h>

enum {
    END = -1
};

struct course {
    const char *name;
    int numbers[12];
    uint64_t sent;
    unsigned in_order, disordered, doubled;
    uint64_t lost;
};

static const struct course courses[] = {
    {"all in order",        {0, 1, 2, 3, END},       4,   4, 0, 0, 0 },
    {"one is lost",         {0, 2, 3, END},          4,   3, 0, 0, 1 },
    {"the first is lost",   {1, 2, END},             3,   2, 0, 0, 1 },
    {"the last is lost",    {0, 1, END},             3,   2, 0, 0, 1 },
    {"all are lost",        {END},                   5,   0, 0, 0, 5 },
    {"one comes twice",     {0, 1, 1, 2, END},       3,   3, 0, 1, 0 },
    {"an old one again",    {0, 1, 2, 3, 0, END},    4,   4, 0, 1, 0 },
    {"two change places",   {0, 2, 1, 3, END},       4,   3, 1, 0, 0 },
    {"late, and once more", {0, 2, 1, 1, END},       3,   2, 1, 1, 0 },
    {"late, one missing",   {0, 3, 1, 3, END},       4,   2, 1, 1, 1 },
 /* past its memory, a second one passes for a late one */
    {"far ahead, and back", {0, 100, 1, 99, 1, END}, 101, 2, 3, 0, 96},
    {"more than was sent",  {0, 1, 2, END},          2,   3, 0, 0, 0 },
};

static void each_course_is_told_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof courses / sizeof *courses; i++) {
        const struct course *course = &courses[i];
        struct load_tally tally = {0};
        unsigned count[3] = {0};

        for (size_t k = 0; course->numbers[k] != END; k++)
            count[load_tally_take(&tally, (uint64_t)course->numbers[k])]++;
        if (count[LOAD_IN_ORDER] != course->in_order ||
            count[LOAD_DISORDERED] != course->disordered ||
            count[LOAD_DOUBLED] != course->doubled ||
            load_tally_lost(&tally, course->sent) != course->lost)
            fail_msg("%s: %u %u %u, %d lost", course->name, count[LOAD_IN_ORDER],
                     count[LOAD_DISORDERED], count[LOAD_DOUBLED],
                     (int)load_tally_lost(&tally, course->sent));
    }
}

static void a_long_orderly_sequence_lacks_nothing(void **state)
{
    struct load_tally tally = {0};

    (void)state;
    for (uint64_t seq = 0; seq < 100000; seq++)
        assert_int_equal(load_tally_take(&tally, seq), LOAD_IN_ORDER);
    assert_int_equal(load_tally_lost(&tally, 100000), 0);
    assert_int_equal(load_tally_take(&tally, 5), LOAD_DOUBLED);
}

static void clients_rooms_and_lanes_are_counted_apart(void **state)
{
    struct load_measure *measure = calloc(1, sizeof *measure);
    /* room 3 with two lanes: 6 and 7 */
    const struct load_stamp first = {.run = 5, .lane = 6, .seq = 0, .due_us = 1000};
    const struct load_stamp second = {.run = 5, .lane = 7, .seq = 0, .due_us = 1000};

    (void)state;
    assert_non_null(measure);
    assert_true(load_measure_begin(measure, 5, 2, 2, 2));
    load_measure_take(measure, 0, 1, &first, 100, 1500);
    load_measure_take(measure, 0, 1, &second, 100, 1600);
    load_measure_take(measure, 1, 1, &first, 100, 900);
    assert_int_equal(measure->received, 3);
    assert_int_equal(measure->doubled, 0);
    assert_int_equal(measure->bytes, 300);
    assert_int_equal(measure->delivery.max, 600);
    assert_int_equal(load_measure_lost(measure, 0, 1, 0, 1), 0);
    assert_int_equal(load_measure_lost(measure, 1, 1, 1, 1), 1);
    assert_int_equal(load_measure_lost(measure, 1, 0, 0, 7), 7);

    load_measure_take(measure, 0, 1, &first, 100, 1500);
    assert_int_equal(measure->doubled, 1);
    assert_int_equal(measure->received, 3);
    load_measure_finish(measure);
    free(measure);
}

static void other_runs_and_strange_rooms_do_not_count(void **state)
{
    struct load_measure *measure = calloc(1, sizeof *measure);
    struct load_stamp stamp = {.run = 4, .lane = 0};

    (void)state;
    assert_non_null(measure);
    assert_true(load_measure_begin(measure, 5, 1, 2, 1));
    load_measure_take(measure, 0, 0, &stamp, 100, 1);
    assert_int_equal(measure->received, 0);
    stamp.run = 5;
    load_measure_take(measure, 0, 2, &stamp, 100, 1);
    assert_int_equal(measure->received, 0);
    assert_int_equal(measure->stray, 1);
    load_measure_finish(measure);
    free(measure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_course_is_told_as_it_was),
        cmocka_unit_test(a_long_orderly_sequence_lacks_nothing),
        cmocka_unit_test(clients_rooms_and_lanes_are_counted_apart),
        cmocka_unit_test(other_runs_and_strange_rooms_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

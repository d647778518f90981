/* Events are due by the clock, whoever is late; and each connection owns whole lanes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_schedule.h"

#include <string.h>

static void events_are_due_at_even_times(void **state)
{
    const struct load_schedule schedule = {.start_us = 5000, .rate = 4, .count = 100};

    (void)state;
    assert_int_equal(load_schedule_due_us(&schedule, 0), 5000);
    assert_int_equal(load_schedule_due_us(&schedule, 1), 255000);
    assert_int_equal(load_schedule_due_us(&schedule, 4), 1005000);
    assert_int_equal(load_schedule_due(&schedule, 4999), 0);
    assert_int_equal(load_schedule_due(&schedule, 5000), 1);
    assert_int_equal(load_schedule_due(&schedule, 254999), 1);
    assert_int_equal(load_schedule_due(&schedule, 255000), 2);
}

static void a_stall_makes_all_of_its_events_due(void **state)
{
    const struct load_schedule schedule = {.start_us = 0, .rate = 1000, .count = 5000};

    (void)state;
    assert_int_equal(load_schedule_due(&schedule, 3000000), 3001);
    assert_int_equal(load_schedule_due(&schedule, 60000000), 5000);
}

static void rates_that_do_not_divide_a_second_do_not_drift(void **state)
{
    static const uint64_t rates[] = {1, 3, 7, 999, 30001, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const struct load_schedule schedule = {.rate = rates[i], .count = UINT64_MAX};
        uint64_t day = 24ULL * 3600;
        assert_int_equal(load_schedule_due_us(&schedule, rates[i] * day), day * 1000000);
        for (uint64_t k = 0; k < 50; k++) {
            uint64_t due_us = load_schedule_due_us(&schedule, k);
            assert_true(load_schedule_due(&schedule, due_us) > k);
            if (due_us > 0)
                assert_true(load_schedule_due(&schedule, due_us - 1) <= k);
        }
    }
}

static void without_a_rate_all_is_due_at_once(void **state)
{
    const struct load_schedule schedule = {.start_us = 10, .rate = 0, .count = 7};

    (void)state;
    assert_int_equal(load_schedule_due_us(&schedule, 6), 10);
    assert_int_equal(load_schedule_due(&schedule, 10), 7);
    assert_int_equal(load_schedule_due(&schedule, 9), 0);
}

enum {
    EVENTS = 400,
    LANES = 64
};

/* Each event has one connection, each lane one, and a connection meets its events in
 * order. */
static void every_lane_belongs_to_one_connection(void **state)
{
    static const size_t sizes[][2] = {
        {1, 1 },
        {2, 1 },
        {2, 2 },
        {1, 4 },
        {3, 2 },
        {5, 3 },
        {2, 5 },
        {7, 7 },
        {3, 16}
    };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct load_lanes lanes = load_lanes_for(sizes[i][0], sizes[i][1]);
        unsigned seen[EVENTS] = {0};
        size_t owner[LANES];

        memset(owner, 0xff, sizeof owner);
        assert_true(lanes.connections <= sizes[i][1] && lanes.connections > 0);
        for (size_t c = 0; c < lanes.connections; c++) {
            for (uint64_t k = c; k < EVENTS; k = load_lanes_after(&lanes, k)) {
                size_t lane = load_lanes_lane(&lanes, k);
                seen[k]++;
                assert_true(lane < lanes.rooms * lanes.lanes);
                assert_int_equal(lane / lanes.lanes, load_lanes_room(&lanes, k));
                if (owner[lane] == SIZE_MAX)
                    owner[lane] = c;
                assert_int_equal(owner[lane], c);
                assert_true(load_lanes_after(&lanes, k) > k);
            }
        }
        for (size_t k = 0; k < EVENTS; k++)
            assert_int_equal(seen[k], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_due_at_even_times),
        cmocka_unit_test(a_stall_makes_all_of_its_events_due),
        cmocka_unit_test(rates_that_do_not_divide_a_second_do_not_drift),
        cmocka_unit_test(without_a_rate_all_is_due_at_once),
        cmocka_unit_test(every_lane_belongs_to_one_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A loop that stands still is late by as much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/loop_lag.h"

#include <unistd.h>

enum {
    STAND_MS = 300,
};

static const uint64_t bound_ms = 500;

static void stand_still(uv_timer_t *timer)
{
    (void)timer;
    usleep(STAND_MS * 1000);
}

static void give_up(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void what_holds_the_loop_up_is_in_the_gauge(void **state)
{
    uv_timer_t pause, end;
    struct metrics metrics = {0};
    struct metrics_snapshot seen;
    struct loop_lag lag;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    loop_lag_start(&lag, &loop, &metrics, &bound_ms);
    uv_timer_init(&loop, &pause);
    uv_timer_init(&loop, &end);
    uv_timer_start(&pause, stand_still, 50, 0);
    uv_timer_start(&end, give_up, 600, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    metrics_snapshot(&metrics, &seen);
    /* Its tick was due 50 ms after the pause began. */
    assert_true(seen.values[METRIC_LOOP_LAG_US] >= (STAND_MS - 60) * 1000);
    assert_true(seen.values[METRIC_LATE_MS] >= STAND_MS - 60);
    loop_lag_stop(&lag);
    uv_close((uv_handle_t *)&pause, NULL);
    uv_close((uv_handle_t *)&end, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void it_does_not_keep_the_loop_from_ending(void **state)
{
    struct metrics metrics = {0};
    struct loop_lag lag;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    loop_lag_start(&lag, &loop, &metrics, &bound_ms);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    loop_lag_stop(&lag);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* A loop whose every turn takes too long, and then one that has nothing to do. */
struct busy {
    uv_loop_t loop;
    struct metrics metrics;
    unsigned turns;
    bool was_overloaded;
};

enum {
    BUSY_MS = 60,
    SMALL_BOUND_MS = 40,
    BUSY_TURNS = 8,
};

static bool is_overloaded(struct busy *busy)
{
    return atomic_load(&busy->metrics.values[METRIC_OVERLOADED]) > 0;
}

/* Each tick of the lag is held up; the handle's own timer does not count. */
static void toil(uv_prepare_t *prepare)
{
    struct busy *busy = prepare->data;

    if (busy->turns++ < BUSY_TURNS)
        usleep((SMALL_BOUND_MS + BUSY_MS) * 2 * 1000);
    busy->was_overloaded |= is_overloaded(busy);
    if (busy->turns > BUSY_TURNS && !is_overloaded(busy))
        uv_stop(prepare->loop);
}

static void who_stays_late_is_overloaded_until_it_is_not(void **state)
{
    static const uint64_t small_bound_ms = SMALL_BOUND_MS;
    struct busy busy = {.turns = 0};
    uv_prepare_t prepare;
    uv_timer_t patience;
    struct loop_lag lag;

    (void)state;
    uv_loop_init(&busy.loop);
    loop_lag_start(&lag, &busy.loop, &busy.metrics, &small_bound_ms);
    uv_prepare_init(&busy.loop, &prepare);
    prepare.data = &busy;
    uv_prepare_start(&prepare, toil);
    uv_timer_init(&busy.loop, &patience);
    uv_timer_start(&patience, give_up, 20000, 0);
    uv_run(&busy.loop, UV_RUN_DEFAULT);
    assert_true(busy.was_overloaded);
    assert_false(is_overloaded(&busy));
    loop_lag_stop(&lag);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&patience, NULL);
    uv_run(&busy.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&busy.loop), 0);
}

static void one_long_pause_is_no_overload(void **state)
{
    static const uint64_t small_bound_ms = SMALL_BOUND_MS;
    struct busy busy = {.turns = BUSY_TURNS - 1}; /* one is left */
    uv_prepare_t prepare;
    uv_timer_t end;
    struct loop_lag lag;

    (void)state;
    uv_loop_init(&busy.loop);
    loop_lag_start(&lag, &busy.loop, &busy.metrics, &small_bound_ms);
    uv_prepare_init(&busy.loop, &prepare);
    prepare.data = &busy;
    uv_prepare_start(&prepare, toil);
    uv_timer_init(&busy.loop, &end);
    uv_timer_start(&end, give_up, 500, 0);
    uv_run(&busy.loop, UV_RUN_DEFAULT);
    assert_false(busy.was_overloaded);
    loop_lag_stop(&lag);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&end, NULL);
    uv_run(&busy.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&busy.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_the_loop_up_is_in_the_gauge),
        cmocka_unit_test(it_does_not_keep_the_loop_from_ending),
        cmocka_unit_test(who_stays_late_is_overloaded_until_it_is_not),
        cmocka_unit_test(one_long_pause_is_no_overload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

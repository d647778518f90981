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
    loop_lag_start(&lag, &loop, &metrics);
    uv_timer_init(&loop, &pause);
    uv_timer_init(&loop, &end);
    uv_timer_start(&pause, stand_still, 50, 0);
    uv_timer_start(&end, give_up, 600, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    metrics_snapshot(&metrics, &seen);
    /* Its tick was due 50 ms after the pause began. */
    assert_true(seen.values[METRIC_LOOP_LAG_US] >= (STAND_MS - 60) * 1000);
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
    loop_lag_start(&lag, &loop, &metrics);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    loop_lag_stop(&lag);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_the_loop_up_is_in_the_gauge),
        cmocka_unit_test(it_does_not_keep_the_loop_from_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How late an event loop is: see the header. */
#include "bridge/loop_lag.h"

#include "bridge/clock.h"

enum {
    TICK_MS = 100,
    WINDOW_TICKS = 100,
};

static void wait_for_next(struct loop_lag *lag);

/* libuv counts in whole milliseconds, and may be early by less than one. */
static void on_tick(uv_timer_t *timer)
{
    struct loop_lag *lag = timer->data;
    int64_t late_us = clock_us() - lag->due_us;

    if (late_us > 0 && (uint64_t)late_us > lag->longest_us)
        lag->longest_us = (uint64_t)late_us;
    metrics_set(lag->metrics, METRIC_LOOP_LAG_US,
                lag->longest_us > lag->was_longest_us ? lag->longest_us
                                                      : lag->was_longest_us);
    if (++lag->ticks == WINDOW_TICKS) {
        lag->was_longest_us = lag->longest_us;
        lag->longest_us = 0;
        lag->ticks = 0;
    }
    wait_for_next(lag);
}

static void wait_for_next(struct loop_lag *lag)
{
    uv_update_time(lag->timer.loop);
    lag->due_us = clock_us() + TICK_MS * INT64_C(1000);
    uv_timer_start(&lag->timer, on_tick, TICK_MS, 0);
}

void loop_lag_start(struct loop_lag *lag, uv_loop_t *loop, struct metrics *metrics)
{
    *lag = (struct loop_lag){.metrics = metrics};
    uv_timer_init(loop, &lag->timer);
    lag->timer.data = lag;
    uv_unref((uv_handle_t *)&lag->timer);
    wait_for_next(lag);
}

void loop_lag_stop(struct loop_lag *lag)
{
    uv_close((uv_handle_t *)&lag->timer, NULL);
}

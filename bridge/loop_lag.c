/* How late an event loop is: see the header. */
#include "bridge/loop_lag.h"

#include "bridge/clock.h"

enum {
    TICK_MS = 100,
    WINDOW_TICKS = 100,
    LATE_FROM_US = 50000,
    USUAL_SHARE = 4, /* of the last delay in the average, one in so many */
};

static void wait_for_next(struct loop_lag *lag);

/* A delay counts for twice the bound at most: alone it never makes the average. */
static void judge(struct loop_lag *lag, uint64_t late_us)
{
    uint64_t bound_us = *lag->bound_ms * 1000;
    uint64_t counted_us = late_us < 2 * bound_us ? late_us : 2 * bound_us;

    lag->usual_us += counted_us / USUAL_SHARE - lag->usual_us / USUAL_SHARE;
    if (bound_us == 0 || lag->usual_us < bound_us / 2)
        lag->is_overloaded = false;
    else if (lag->usual_us > bound_us)
        lag->is_overloaded = true;
    metrics_set(lag->metrics, METRIC_OVERLOADED, lag->is_overloaded);
}

/* libuv counts in whole milliseconds, and may be early by less than one. */
static void on_tick(uv_timer_t *timer)
{
    struct loop_lag *lag = timer->data;
    int64_t late_us = clock_us() - lag->due_us;

    atomic_fetch_add_explicit(&lag->beats, 1, memory_order_relaxed);
    if (late_us < 0)
        late_us = 0;
    if ((uint64_t)late_us > lag->longest_us)
        lag->longest_us = (uint64_t)late_us;
    if (late_us >= LATE_FROM_US)
        metrics_add(lag->metrics, METRIC_LATE_MS, late_us / 1000);
    judge(lag, (uint64_t)late_us);
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

void loop_lag_start(struct loop_lag *lag, uv_loop_t *loop, struct metrics *metrics,
                    const uint64_t *bound_ms)
{
    *lag = (struct loop_lag){.metrics = metrics, .bound_ms = bound_ms};
    uv_timer_init(loop, &lag->timer);
    lag->timer.data = lag;
    uv_unref((uv_handle_t *)&lag->timer);
    wait_for_next(lag);
}

void loop_lag_stop(struct loop_lag *lag)
{
    uv_close((uv_handle_t *)&lag->timer, NULL);
}

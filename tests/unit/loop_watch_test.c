/* A loop that stands still is noticed; one that turns, however slowly, is not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/loop_watch.h"

#include <unistd.h>

enum {
    LOOK_MS = 20,
    LOOKS = 20, /* four ticks of the loop */
    TURNING_MS = 900,
    STILL_MS = 10000,
};

static const uint64_t no_bound = 0;

static void count(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

/* Stands still until it was noticed. */
static void stand_still(uv_timer_t *timer)
{
    atomic_int *noticed = timer->data;

    for (int ms = 0; atomic_load(noticed) == 0 && ms < STILL_MS; ms += LOOK_MS)
        usleep(LOOK_MS * 1000);
    usleep(4 * LOOK_MS * 1000);
    uv_stop(timer->loop);
}

static void it_tells_once_and_only_who_stands_still(void **state)
{
    struct metrics metrics = {0};
    atomic_int noticed = 0;
    struct loop_lag lag;
    uv_timer_t timer;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    loop_lag_start(&lag, &loop, &metrics, &no_bound);
    struct loop_watch_config config = {.lag = &lag,
                                       .look_ms = LOOK_MS,
                                       .looks = LOOKS,
                                       .on_stuck = count,
                                       .ctx = &noticed};
    struct loop_watch *watch = loop_watch_create(&config);
    assert_non_null(watch);
    uv_timer_init(&loop, &timer);
    timer.data = &noticed;
    uv_timer_start(&timer, stand_still, TURNING_MS, 0);
    for (int ms = 0; ms < TURNING_MS / 2; ms += LOOK_MS) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(LOOK_MS * 1000);
        assert_int_equal(atomic_load(&noticed), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(atomic_load(&noticed), 1);
    loop_watch_destroy(watch);
    loop_lag_stop(&lag);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void it_ends_without_waiting(void **state)
{
    struct metrics metrics = {0};
    atomic_int noticed = 0;
    struct loop_lag lag;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    loop_lag_start(&lag, &loop, &metrics, &no_bound);
    struct loop_watch_config config = {.lag = &lag,
                                       .look_ms = 3600000,
                                       .looks = LOOKS,
                                       .on_stuck = count,
                                       .ctx = &noticed};
    loop_watch_destroy(loop_watch_create(&config));
    loop_watch_destroy(NULL);
    loop_lag_stop(&lag);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(atomic_load(&noticed), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_once_and_only_who_stands_still),
        cmocka_unit_test(it_ends_without_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

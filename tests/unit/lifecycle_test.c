/* A child tells its supervisor each change, also when that one did not read for long. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/clock.h"
#include "bridge/lifecycle.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rig {
    uv_loop_t loop;
    struct logger log;
    struct lifecycle *lifecycle;
    int supervisor; /* our end */
    int child;
    unsigned stops;
    unsigned alones;
};

static void on_stop(void *ctx)
{
    ((struct rig *)ctx)->stops++;
}

static void on_alone(void *ctx)
{
    ((struct rig *)ctx)->alones++;
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char fd[16];
    int ends[2];

    assert_non_null(rig);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    rig->supervisor = ends[0];
    rig->child = ends[1];
    snprintf(fd, sizeof fd, "%d", rig->child);
    setenv("SIDECAST_STATUS_FD", fd, 1);
    rig->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "test"};
    uv_loop_init(&rig->loop);
    rig->lifecycle = lifecycle_create(&(struct lifecycle_config){.loop = &rig->loop,
                                                                 .log = &rig->log,
                                                                 .on_stop = on_stop,
                                                                 .on_alone = on_alone,
                                                                 .stop_ms = 21000,
                                                                 .ctx = rig});
    assert_non_null(rig->lifecycle);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    lifecycle_destroy(rig->lifecycle);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    close(rig->supervisor);
    close(rig->child);
    free(rig);
    return 0;
}

static bool hear(struct rig *rig, const char *line, unsigned wait_ms)
{
    uint64_t until = clock_ms() + wait_ms;
    char heard[4096] = "";
    size_t len = 0;

    while (clock_ms() < until && !strstr(heard, line)) {
        uv_run(&rig->loop, UV_RUN_NOWAIT);
        ssize_t n = read(rig->supervisor, heard + len, sizeof heard - 1 - len);
        len += n > 0 ? (size_t)n : 0;
        heard[len] = '\0';
        usleep(1000);
    }
    return strstr(heard, line) != NULL;
}

static void a_change_is_told_at_once_and_life_each_second(void **state)
{
    struct rig *rig = *state;

    lifecycle_ready(rig->lifecycle, false, "bus_down");
    assert_true(hear(rig, "not ready bus_down\n", 500));
    lifecycle_ready(rig->lifecycle, true, "");
    assert_true(hear(rig, "ready\n", 500));
    assert_true(hear(rig, "alive\n", 5000));
}

static void a_change_that_found_no_room_is_told_later(void **state)
{
    struct rig *rig = *state;
    char junk[1024] = {0};

    while (write(rig->child, junk, sizeof junk) > 0)
        ;
    lifecycle_ready(rig->lifecycle, true, "");
    while (read(rig->supervisor, junk, sizeof junk) > 0)
        ;
    assert_true(hear(rig, "ready\n", 5000));
}

static void the_end_of_the_supervisor_is_a_stop(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(shutdown(rig->supervisor, SHUT_RDWR), 0);
    for (int i = 0; i < 100 && rig->stops == 0; i++)
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    assert_int_equal(rig->stops, 1);
    assert_int_equal(rig->alones, 1);
    assert_false(lifecycle_has_heir(rig->lifecycle));
}

static void a_stop_tells_how_long_it_takes_and_is_the_last_word(void **state)
{
    struct rig *rig = *state;

    assert_true(lifecycle_has_heir(rig->lifecycle));
    raise(SIGTERM);
    assert_true(hear(rig, "not ready draining 21000\n", 500));
    assert_int_equal(rig->stops, 1);
    lifecycle_ready(rig->lifecycle, true, "");
    lifecycle_ready(rig->lifecycle, false, "bus_down");
    assert_false(lifecycle_is_ready(rig->lifecycle));
    assert_false(hear(rig, "ready", 100));
}

static void who_gives_way_asks_for_no_heir(void **state)
{
    struct rig *rig = *state;

    lifecycle_give_way(rig->lifecycle, "because");
    assert_int_equal(rig->stops, 1);
    assert_true(lifecycle_has_given_way(rig->lifecycle));
    assert_true(hear(rig, "not ready replaced\n", 500));
}

/* The word may come before the stop or after it. */
static void who_is_alone_has_no_heir(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(write(rig->supervisor, "alone\n", 6), 6);
    for (int i = 0; i < 1000 && lifecycle_has_heir(rig->lifecycle); i++)
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    assert_false(lifecycle_has_heir(rig->lifecycle));
    assert_int_equal(rig->stops, 0);
    assert_int_equal(rig->alones, 0);
    lifecycle_give_way(rig->lifecycle, "because");
    assert_int_equal(write(rig->supervisor, "alone\n", 6), 6);
    for (int i = 0; i < 1000 && rig->alones == 0; i++)
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    assert_int_equal(rig->alones, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_is_told_at_once_and_life_each_second,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_that_found_no_room_is_told_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_supervisor_is_a_stop, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_stop_tells_how_long_it_takes_and_is_the_last_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_gives_way_asks_for_no_heir, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_is_alone_has_no_heir, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

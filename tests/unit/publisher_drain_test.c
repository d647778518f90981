/* A publisher that stops: what it has begun ends with an answer. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/publisher_words.h"

/* Of a publish whose last byte is missing. */
#define HALF                                                                             \
    "POST /broadcast HTTP/1.1\r\nHost: x\r\n" AUTH                                       \
    "Content-Length: 28\r\n\r\n{\"event\":\"moved\",\"room\":\"r\""

static void wait_drained(struct rig *rig)
{
    for (int i = 0; i < 3000 && !rig->drained; i++)
        usleep(1000);
    assert_true(rig->drained);
}

static void a_drain_lets_the_held_publish_finish(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;

    rig->engine.mode = RIG_HOLDS;
    int fd = rig_post_begin(rig, "/broadcast", AUTH, GOOD);
    wait_appended(rig, 1);
    uv_async_send(&rig->drain);
    usleep(60000);
    assert_false(rig->drained);
    rig->engine.mode = RIG_KEEPS;
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 202);
    wait_drained(rig);
}

static void a_drain_waits_a_moment_for_the_rest_of_a_request(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;
    int fd = rig_send(rig->api_port, HALF);

    wait_metric(rig, METRIC_HTTP_REQUESTS, 1);
    uv_async_send(&rig->drain);
    usleep(100000);
    assert_false(rig->drained);
    assert_int_equal(send(fd, "}", 1, MSG_NOSIGNAL), 1);
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 202);
    wait_drained(rig);
}

static void a_drain_tells_who_does_not_end_his_request(void **state)
{
    static const char *const halves[] = {HALF, "POST /broadcast HTTP/1.1\r\nHost: x\r\n"};
    struct rig *rig = *state;
    struct rig_answer answer;
    char code[256];
    int fds[2];

    for (size_t i = 0; i < 2; i++)
        fds[i] = rig_send(rig->api_port, halves[i]);
    wait_metric(rig, METRIC_HTTP_REQUESTS, 1);
    usleep(50000); /* the half head, too */
    uv_async_send(&rig->drain);
    wait_drained(rig);
    for (size_t i = 0; i < 2; i++) {
        rig_read(fds[i], &answer);
        assert_int_equal(answer.status, 503);
        assert_string_equal(member(answer.body, "code", code), "E_DRAINING");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_drain_lets_the_held_publish_finish, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_drain_waits_a_moment_for_the_rest_of_a_request,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_drain_tells_who_does_not_end_his_request,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

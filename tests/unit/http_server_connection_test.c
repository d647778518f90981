/* Connections of the http_server: peers that leave, drip or stop reading, and its own
 * end. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/http_rig.h"

#define POST_ECHO "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define GET_HEALTH "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"

static void expect_body(int fd, const char *body)
{
    struct rig_answer answer;

    rig_read(fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, body);
}

/* Four ways to leave: close, reset, half-close, and a FIN right behind the request. */
static void a_leaving_peer_ends_its_held_exchange(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        const struct linger reset = {.l_onoff = 1};
        int fd = rig_connect(rig);
        if (i >= 4) { /* as second request */
            rig_send(fd, slice_of(GET_HEALTH));
            expect_body(fd, "ok");
        }
        rig_send(fd, slice_of("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
        if (i % 4 != 3)
            assert_true(rig_wait_for(&rig->held, i + 1, 1000));
        if (i % 4 == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (i % 4 == 2)
            shutdown(fd, SHUT_WR);
        else
            close(fd);
        assert_true(rig_wait_for(&rig->gone, i + 1, 100));
        if (i % 4 == 2) {
            assert_true(rig_is_closed(fd));
            close(fd);
        }
    }
    assert_int_equal(atomic_load(&rig->held), 8);
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));
    rig_expect_calm(rig);
    rig_stop(rig);
}

/* With the last bytes comes the FIN: all that was asked is answered, then it is over. */
static void a_peer_that_ends_behind_its_requests_is_answered(void **state)
{
    static const struct {
        const char *requests;
        unsigned answers;
    } rows[] = {
        {GET_HEALTH,                                         1},
        {GET_HEALTH GET_HEALTH "\r\n\r\n",                   2},
        {GET_HEALTH "GET /hea",                              1},
        {GET_HEALTH POST_ECHO "Content-Length: 9\r\n\r\nab", 1},
    };
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = rig_connect(rig);
        uint64_t began = clock_ms();
        send(fd, rows[i].requests, strlen(rows[i].requests), MSG_MORE);
        shutdown(fd, SHUT_WR);
        for (unsigned k = 0; k < rows[i].answers; k++)
            expect_body(fd, "ok");
        rig_read(fd, &answer);
        assert_int_equal(answer.status, 0);
        assert_false(answer.timed_out);
        assert_true(clock_ms() - began < 1500);
        close(fd);
    }
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));
    rig_stop(rig);
}

static void a_drain_answers_what_is_held_and_lets_nothing_in(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    int held = rig_connect(rig);
    int idle = rig_connect(rig);

    (void)state;
    rig_send(idle, slice_of(GET_HEALTH));
    expect_body(idle, "ok");
    rig_send(held, slice_of("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(rig_wait_for(&rig->held, 1, 1000));
    uv_async_send(&rig->drain);

    rig_read(held, &answer);
    rig_expect_problem(&answer, 503, "E_DRAINING");
    assert_non_null(strstr(answer.head, "Retry-After: "));
    assert_int_equal(atomic_load(&rig->gone), 1);
    assert_true(rig_is_closed(held));
    assert_true(rig_is_closed(idle));
    rig_ask(rig, GET_HEALTH, &answer);
    rig_expect_problem(&answer, 503, "E_DRAINING");
    close(held);
    close(idle);
    rig_stop(rig);
}

static void a_server_may_be_destroyed_at_any_moment(void **state)
{
    static const char *const requests[] = {
        "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n",
        POST_ECHO "Content-Length: 5\r\n\r\nab",
        POST_ECHO "Content-Length: 5000\r\n\r\nab", /* lingers */
        "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hea",
        GET_HEALTH,
        GET_HEALTH "GET /hea",
    };
    struct rig *rig = rig_start((struct rig_options){0});
    int fds[sizeof requests / sizeof *requests];

    (void)state;
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of(requests[i]));
    }
    usleep(50000);
    rig_stop(rig);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
}

/* A byte now and then: no phase lasts longer than its deadline. */
static void slow_drips_are_cut(void **state)
{
    static const struct {
        const char *first; /* at once */
        const char *drip;  /* one byte each 50 ms */
        int status;        /* 0: closed without an answer */
    } rows[] = {
        {POST_ECHO "Content-Length: 100\r\n\r\n",
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",                                                     408},
        {POST_ECHO "Transfer-Encoding: chunked\r\n\r\n",
         "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n",                                 408},
        {GET_HEALTH "GET /health HTTP/1.1\r\n",
         "Host: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",                                                    408},
        {GET_HEALTH "G",                                 "ET /healthhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", 0  },
        {GET_HEALTH,                                     "",                                             0  },
    };
    struct rig *rig = rig_start((struct rig_options){.deadline_ms = 500});
    struct rig_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = rig_connect(rig);
        uint64_t began = clock_ms();
        rig_send(fd, slice_of(rows[i].first));
        if (strncmp(rows[i].first, "GET", 3) == 0)
            expect_body(fd, "ok");
        for (const char *at = rows[i].drip; *at; at++) {
            if (!rig_send(fd, (struct slice){at, 1}))
                break;
            usleep(50000);
            if (recv(fd, answer.body, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
                break;
        }
        rig_read(fd, &answer);
        assert_int_equal(answer.status, rows[i].status);
        assert_true(rig_is_closed(fd));
        uint64_t took = clock_ms() - began;
        assert_true(took >= 450 && took < 1500);
        close(fd);
    }
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void a_reader_that_stopped_is_cut_and_a_holder_is_not(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.deadline_ms = 500});
    int reader = rig_connect(rig);
    int holder = rig_connect(rig);

    (void)state;
    rig_send(reader, slice_of("GET /big HTTP/1.1\r\nHost: a\r\n\r\n"));
    rig_send(holder, slice_of("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 2));
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 1));
    usleep(300000);
    assert_int_equal(atomic_load(&rig->gone), 0);
    rig_expect_calm(rig);
    close(reader);
    close(holder);
    assert_true(rig_wait_for(&rig->gone, 1, 100));
    rig_stop(rig);
}

static void connections_beyond_the_limit_get_503(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.max_connections = 3});
    struct rig_answer answer;
    int fds[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    assert_true(rig_wait_for(&rig->held, 3, 1000));
    rig_ask(rig, GET_HEALTH, &answer);
    rig_expect_problem(&answer, 503, "E_BUSY");
    assert_non_null(strstr(answer.head, "Retry-After: "));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));
    rig_ask(rig, GET_HEALTH, &answer);
    assert_int_equal(answer.status, 200);
    rig_stop(rig);
}

static void at_the_limit_idle_connections_make_room_oldest_first(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.max_connections = 3});
    int fds[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of(GET_HEALTH));
        expect_body(fds[i], "ok");
    }
    assert_true(rig_is_closed(fds[0]));
    for (int i = 1; i < 4; i++) {
        rig_send(fds[i], slice_of(GET_HEALTH));
        expect_body(fds[i], "ok");
    }
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    rig_stop(rig);
}

static void at_the_limit_slow_bodies_make_room_and_quick_ones_do_not(void **state)
{
    static const char slow[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    struct rig *rig = rig_start((struct rig_options){.max_connections = 3});
    struct rig_answer answer;
    int fds[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of(slow));
    }
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 3));
    rig_ask(rig, GET_HEALTH, &answer);
    assert_int_equal(answer.status, 503);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    rig_ask(rig, GET_HEALTH, &answer);
    assert_int_equal(answer.status, 200);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    rig_stop(rig);
}

/* One wake-up answers them all. */
static void many_held_exchanges_are_answered(void **state)
{
    enum {
        COUNT = 200,
    };
    struct rig *rig = rig_start((struct rig_options){0});
    int fds[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of("POST /later HTTP/1.1\r\nHost: a\r\n"
                                  "Content-Length: 2\r\n\r\nab"));
    }
    for (int i = 0; i < COUNT; i++) {
        expect_body(fds[i], "later");
        close(fds[i]);
    }
    rig_stop(rig);
}

/* And costs no suspension; three are in one send, so that the next is there already. */
static void an_answer_of_the_next_turn_is_awaited(void **state)
{
#define GET_SOON "GET /soon HTTP/1.1\r\nHost: a\r\n\r\n"
    struct rig *rig = rig_start((struct rig_options){0});
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of(GET_SOON));
    expect_body(fd, "later");
    rig_send(fd, slice_of(GET_SOON GET_SOON GET_SOON));
    for (int i = 0; i < 3; i++)
        expect_body(fd, "later");
    assert_int_equal(atomic_load(&rig->answered_awaited), 4);

    rig_send(fd, slice_of("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
    expect_body(fd, "later");
    assert_int_equal(atomic_load(&rig->answered_held), 1);
    close(fd);
    rig_stop(rig);
}

/* And a next request that is there already is not taken for it. */
static void an_awaited_exchange_ends_with_its_peer(void **state)
{
#define GET_LEAVE "GET /leave HTTP/1.1\r\nHost: a\r\n\r\n"
    static const char *const requests[] = {GET_LEAVE, GET_LEAVE GET_HEALTH,
                                           GET_SOON GET_LEAVE GET_SOON};
    static const unsigned answers[] = {0, 0, 1};
    struct rig *rig = rig_start((struct rig_options){0});

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        int fd = rig_connect(rig);
        rig_send(fd, slice_of(requests[i % 3]));
        for (unsigned k = 0; k < answers[i % 3]; k++)
            expect_body(fd, "later");
        assert_true(rig_wait_for(&rig->gone, i + 1, 1000));
        assert_true(rig_is_closed(fd));
        close(fd);
    }
    assert_int_equal(atomic_load(&rig->gone), 12);
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void a_drain_answers_what_is_awaited(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;

    (void)state;
    rig_ask(rig, "GET /drain HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    rig_expect_problem(&answer, 503, "E_DRAINING");
    assert_int_equal(atomic_load(&rig->gone), 1);
    rig_stop(rig);
}

/* While others are awaited, one after the other, nobody else's request stands still. */
static void a_body_gets_on_while_others_are_awaited(void **state)
{
    static const char body[RIG_ECHO_BYTES / 4] = {0};
    struct rig *rig = rig_start((struct rig_options){0});
    int slow = rig_connect(rig);
    char head[128];

    (void)state;
    snprintf(head, sizeof head, POST_ECHO "Content-Length: %d\r\n\r\n", RIG_ECHO_BYTES);
    rig_send(slow, slice_of(head));
    for (size_t sent = 0; sent < RIG_ECHO_BYTES; sent += sizeof body) {
        int fd = rig_connect(rig);
        rig_send(fd, slice_of("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET_HEALTH));
        rig_send(slow, (struct slice){body, sizeof body});
        close(fd);
    }
    struct rig_answer answer;
    rig_read(slow, &answer);
    assert_int_equal(answer.status, 200);
    close(slow);
    rig_expect_calm(rig);
    rig_stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaving_peer_ends_its_held_exchange),
        cmocka_unit_test(a_peer_that_ends_behind_its_requests_is_answered),
        cmocka_unit_test(a_drain_answers_what_is_held_and_lets_nothing_in),
        cmocka_unit_test(a_server_may_be_destroyed_at_any_moment),
        cmocka_unit_test(slow_drips_are_cut),
        cmocka_unit_test(a_reader_that_stopped_is_cut_and_a_holder_is_not),
        cmocka_unit_test(connections_beyond_the_limit_get_503),
        cmocka_unit_test(at_the_limit_idle_connections_make_room_oldest_first),
        cmocka_unit_test(at_the_limit_slow_bodies_make_room_and_quick_ones_do_not),
        cmocka_unit_test(many_held_exchanges_are_answered),
        cmocka_unit_test(an_answer_of_the_next_turn_is_awaited),
        cmocka_unit_test(an_awaited_exchange_ends_with_its_peer),
        cmocka_unit_test(a_drain_answers_what_is_awaited),
        cmocka_unit_test(a_body_gets_on_while_others_are_awaited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

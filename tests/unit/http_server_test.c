/* The http_server on real sockets: requests in every cut, refusals, held exchanges. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/bad_heads.h"
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

static void pipelined_requests_are_answered_in_order(void **state)
{
    static const struct {
        const char *requests;
        const char *bodies[3];
    } rows[] = {
        {POST_ECHO "Content-Length: 3\r\n\r\none" POST_ECHO
                   "Content-Length: 3\r\n\r\ntwo",                                      {"one", "two"}      },
        {GET_HEALTH POST_ECHO "Content-Length: 3\r\n\r\ntwo",                                    {"ok", "two"}       },
        {POST_ECHO "Content-Length: 3\r\n\r\none" GET_HEALTH,                                    {"one", "ok"}       },
        {"GET /later HTTP/1.1\r\nHost: a\r\n\r\n" GET_HEALTH POST_ECHO
         "Content-Length: 1\r\n\r\nx",                                                  {"later", "ok", "x"}},
        {POST_ECHO
         "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n" GET_HEALTH,
         {"abc", "ok"}                                                                                               },
    };
    struct rig *rig = rig_start((struct rig_options){0});

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = rig_connect(rig);
        rig_send(fd, slice_of(rows[i].requests));
        for (int k = 0; k < 3 && rows[i].bodies[k]; k++)
            expect_body(fd, rows[i].bodies[k]);
        close(fd);
    }
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void requests_may_come_byte_by_byte(void **state)
{
    static const char *const requests[] = {
        POST_ECHO "Content-Length: 5\r\n\r\nhello",
        POST_ECHO "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    };
    struct rig *rig = rig_start((struct rig_options){0});

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int fd = rig_connect(rig);
        setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &(int){1}, sizeof(int));
        /* As first and as second request of its connection. */
        for (int round = 0; round < 2; round++) {
            for (struct slice left = slice_of(requests[i]); left.len > 0;
                 left = slice_from(left, 1)) {
                rig_send(fd, slice_first(left, 1));
                usleep(500);
            }
            expect_body(fd, "hello");
        }
        close(fd);
    }
    rig_stop(rig);
}

static void a_head_answers_as_its_get_without_the_body(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n"));
    rig_read_one(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "Content-Length: 2\r\n"));
    rig_send(fd, slice_of("HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"));
    rig_read_one(fd, true, &answer);
    assert_int_equal(answer.status, 404);
    rig_send(fd, slice_of(GET_HEALTH));
    expect_body(fd, "ok");
    close(fd);
    rig_stop(rig);
}

static void handlers_see_the_raw_target_and_the_peer(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of("GET /mirror/a%20b%26c?x=%31&y HTTP/1.1\r\nHost: a\r\n"
                          "X-Request-Id: my-id.7\r\n\r\n"));
    expect_body(fd, "/mirror/a%20b%26c?x=%31&y|127.0.0.1|my-id.7");
    close(fd);
    rig_stop(rig);
}

static void request_ids_are_taken_when_well_formed_else_made(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;

    (void)state;
    rig_ask(rig, "GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: my_id\r\n\r\n",
            &answer);
    assert_non_null(strstr(answer.head, "X-Request-Id: my_id\r\n"));
    rig_ask(rig, "GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: no way\r\n\r\n",
            &answer);
    assert_non_null(strstr(answer.head, "X-Request-Id: "));
    assert_null(strstr(answer.head, "no way"));
    rig_ask(rig, "GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-Id: my_id\r\n\r\n",
            &answer);
    rig_expect_problem(&answer, 404, "E_NOT_FOUND");
    assert_non_null(strstr(answer.body, "\"instance\":\"my_id\""));
    rig_stop(rig);
}

static void what_a_route_does_not_take_is_refused(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *code;
        const char *says;
    } rows[] = {
        {"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",                                              404, "E_NOT_FOUND",  ""          },
        {"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",                      404,
         "E_NOT_FOUND",                                                                                                ""          },
        {"POST /health HTTP/1.1\r\nHost: a\r\n\r\n",                                              405, "E_METHOD",
         "Allow: GET, HEAD\r\n"                                                                                                    },
        {"OPTIONS /later HTTP/1.1\r\nHost: a\r\n\r\n",                                            405, "E_METHOD",
         "Allow: GET, HEAD, POST\r\n"                                                                                              },
        {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",                          405, "E_METHOD",
         "Allow: POST\r\n"                                                                                                         },
        {"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n",                                               401, "E_UNAUTH",
         "WWW-Authenticate: Bearer\r\n"                                                                                            },
        {POST_ECHO "Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\nab",                       415,
         "E_MEDIA_TYPE",                                                                                               ""          },
        {POST_ECHO
         "Content-Length: 2\r\nContent-Type: Multipart/form-data; boundary=x\r\n\r\nab", 415, "E_MEDIA_TYPE", ""          },
        {POST_ECHO "Content-Length: 4097\r\n\r\n",                                                413, "E_TOO_LARGE",  "4096 bytes"},
        {"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",                         413,
         "E_TOO_LARGE",                                                                                                "no body"   },
    };
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_ask(rig, rows[i].request, &answer);
        rig_expect_problem(&answer, rows[i].status, rows[i].code);
        assert_true(strstr(answer.head, rows[i].says) ||
                    strstr(answer.body, rows[i].says));
    }
    rig_stop(rig);
}

/* The whole body is in flight while the answer comes, with and without a length. */
static void the_413_of_a_body_in_flight_can_be_read(void **state)
{
    enum {
        BODY = 100000,
    };
    static const char *const heads[] = {
        POST_ECHO "Content-Length: 100000\r\n\r\n",
        POST_ECHO "Transfer-Encoding: chunked\r\n\r\n186a0\r\n",
    };
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    char *body = calloc(1, BODY);

    (void)state;
    for (int i = 0; i < 40; i++) {
        int fd = rig_connect(rig);
        rig_send(fd, slice_of(heads[i % 2]));
        rig_send(fd, (struct slice){body, BODY});
        rig_read(fd, &answer);
        rig_expect_problem(&answer, 413, "E_TOO_LARGE");
        assert_true(rig_is_closed(fd));
        close(fd);
    }
    free(body);
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void a_body_may_be_as_large_as_its_route_says(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    char body[RIG_ECHO_BYTES + 1] = {0};
    int fd = rig_connect(rig);

    (void)state;
    memset(body, 'x', RIG_ECHO_BYTES);
    rig_send(fd, slice_of(POST_ECHO "Content-Length: 4096\r\n\r\n"));
    rig_send(fd, slice_of(body));
    rig_read(fd, &answer);
    assert_string_equal(answer.body, body);
    rig_send(fd, slice_of(POST_ECHO "Transfer-Encoding: chunked\r\n\r\n1000\r\n"));
    rig_send(fd, slice_of(body));
    rig_send(fd, slice_of("\r\n0\r\n\r\n"));
    rig_read(fd, &answer);
    assert_string_equal(answer.body, body);
    close(fd);
    rig_stop(rig);
}

static void an_expectation_is_met_or_refused_before_the_body(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of(POST_ECHO "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 100);
    rig_send(fd, slice_of("ab"));
    expect_body(fd, "ab");
    rig_send(fd,
             slice_of(POST_ECHO "Content-Length: 9999\r\nExpect: 100-continue\r\n\r\n"));
    rig_read(fd, &answer);
    rig_expect_problem(&answer, 413, "E_TOO_LARGE");
    close(fd);
    rig_stop(rig);
}

/* Sends a bad head behind a good request. What is seen of it differs: libmicrohttpd mends
 * some, and answers others itself. None may hang or hurt. */
static void try_as_second(struct rig *rig, struct slice head, bool is_pipelined)
{
    struct rig_answer answer;
    int fd = rig_connect(rig);

    rig_send(fd, slice_of(GET_HEALTH));
    if (!is_pipelined)
        expect_body(fd, "ok");
    rig_send(fd, head);
    if (is_pipelined)
        expect_body(fd, "ok");
    /* A head that was mended to wait for more gets the end of it. */
    shutdown(fd, SHUT_WR);
    rig_read(fd, &answer);
    assert_false(answer.timed_out);
    close(fd);
}

static void bad_second_heads_neither_hang_nor_hurt(void **state)
{
    static const char *const methods[] = {"GET /health", "POST /echo"};
    struct rig *rig = rig_start((struct rig_options){0});
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bad_heads / sizeof *bad_heads; i++, count++) {
        try_as_second(rig, bad_heads[i], false);
        try_as_second(rig, bad_heads[i], true);
    }
    for (size_t i = 0; i < 2 * sizeof bad_fields / sizeof *bad_fields; i++, count++) {
        struct buf head = {.max = 4096};
        buf_print(&head, "%s HTTP/1.1\r\nHost: a\r\n", methods[i % 2]);
        buf_add(&head, bad_fields[i / 2]);
        buf_add_text(&head, "\r\n\r\n");
        try_as_second(rig, buf_slice(&head), false);
        try_as_second(rig, buf_slice(&head), true);
        buf_finish(&head);
    }
    assert_true(count >= 100);
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void the_gate_stands_before_second_requests_too(void **state)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET /health HTTP/1.1\r\n\r\n",                                 400},
        {"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",           400},
        {POST_ECHO "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",   400},
        {POST_ECHO "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"
                   "\r\n0\r\n\r\n",                             400},
        {POST_ECHO "Transfer-Encoding: xchunked\r\n\r\n",                501},
        {"GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n",              400},
        {"GET /health%00x HTTP/1.1\r\nHost: a\r\n\r\n",                  400},
        {"FOO /health HTTP/1.1\r\nHost: a\r\n\r\n",                      405},
        {"GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426},
    };
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = rig_connect(rig);
        rig_send(fd, slice_of(GET_HEALTH));
        expect_body(fd, "ok");
        rig_send(fd, slice_of(rows[i].request));
        rig_read(fd, &answer);
        assert_int_equal(answer.status, rows[i].status);
        assert_non_null(strstr(answer.head, "application/problem+json"));
        assert_true(rig_is_closed(fd));
        close(fd);
    }
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void answers_through_a_proxy_close(void **state)
{
    static const char *const fields[] = {"X-Forwarded-For: 1.2.3.4", "Forwarded: for=a",
                                         "Via: 1.1 x"};
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    char request[256];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        int fd = rig_connect(rig);
        snprintf(request, sizeof request, "GET /health HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n",
                 fields[i]);
        rig_send(fd, slice_of(request));
        rig_read(fd, &answer);
        assert_non_null(strcasestr(answer.head, "\r\nConnection: close\r\n"));
        assert_true(rig_is_closed(fd));
        close(fd);
    }
    rig_stop(rig);
}

static void every_answer_closes_where_a_port_is_shared(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.always_closes = true});
    struct rig_answer answer;
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of(GET_HEALTH));
    rig_read(fd, &answer);
    assert_non_null(strcasestr(answer.head, "\r\nConnection: close\r\n"));
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_stop(rig);
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
    assert_non_null(strstr(answer.head, "Retry-After: 1\r\n"));
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
        rig_send(fds[i], slice_of(GET_HEALTH));
        expect_body(fds[i], "ok");
    }
    rig_ask(rig, GET_HEALTH, &answer);
    rig_expect_problem(&answer, 503, "E_BUSY");
    assert_non_null(strstr(answer.head, "Retry-After: 1\r\n"));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));
    rig_ask(rig, GET_HEALTH, &answer);
    assert_int_equal(answer.status, 200);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(requests_may_come_byte_by_byte),
        cmocka_unit_test(a_head_answers_as_its_get_without_the_body),
        cmocka_unit_test(handlers_see_the_raw_target_and_the_peer),
        cmocka_unit_test(request_ids_are_taken_when_well_formed_else_made),
        cmocka_unit_test(what_a_route_does_not_take_is_refused),
        cmocka_unit_test(the_413_of_a_body_in_flight_can_be_read),
        cmocka_unit_test(a_body_may_be_as_large_as_its_route_says),
        cmocka_unit_test(an_expectation_is_met_or_refused_before_the_body),
        cmocka_unit_test(bad_second_heads_neither_hang_nor_hurt),
        cmocka_unit_test(the_gate_stands_before_second_requests_too),
        cmocka_unit_test(answers_through_a_proxy_close),
        cmocka_unit_test(every_answer_closes_where_a_port_is_shared),
        cmocka_unit_test(a_leaving_peer_ends_its_held_exchange),
        cmocka_unit_test(a_peer_that_ends_behind_its_requests_is_answered),
        cmocka_unit_test(a_drain_answers_what_is_held_and_lets_nothing_in),
        cmocka_unit_test(a_server_may_be_destroyed_at_any_moment),
        cmocka_unit_test(slow_drips_are_cut),
        cmocka_unit_test(a_reader_that_stopped_is_cut_and_a_holder_is_not),
        cmocka_unit_test(connections_beyond_the_limit_get_503),
        cmocka_unit_test(many_held_exchanges_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

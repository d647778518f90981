/* The http_server on real sockets: requests in every cut, and refusals. */
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
                   "Content-Length: 3\r\n\r\ntwo",                           {"one", "two"}      },
        {GET_HEALTH POST_ECHO "Content-Length: 3\r\n\r\ntwo",                         {"ok", "two"}       },
        {POST_ECHO "Content-Length: 3\r\n\r\none" GET_HEALTH,                         {"one", "ok"}       },
        {"GET /later HTTP/1.1\r\nHost: a\r\n\r\n" GET_HEALTH POST_ECHO
         "Content-Length: 1\r\n\r\nx",                                       {"later", "ok", "x"}},
        {GET_HEALTH POST_ECHO
         "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", {"ok", "abc"}       },
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
        /* As first and as second request of its connection; chunks are its last. */
        if (i == 1) {
            rig_send(fd, slice_of(GET_HEALTH));
            expect_body(fd, "ok");
        }
        for (size_t round = i; round < 2; round++) {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

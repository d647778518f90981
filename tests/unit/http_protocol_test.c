/* A protocol with words of its own on the http_server: what comes to it, and when. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/http_rig.h"

enum {
    LARGEST = 100000,
};

static atomic_uint bodies, gone, written, lost, held;
static struct http_exchange *holding[64]; /* the loop's */

static bool owns(void *ctx, const struct http_head *head, size_t *max_body)
{
    (void)ctx;
    *max_body = LARGEST;
    return slice_starts_with(head->path, "/own");
}

static void on_gone(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&gone, 1);
}

static void on_written(void *ctx, bool is_whole)
{
    (void)ctx;
    atomic_fetch_add(is_whole ? &written : &lost, 1);
}

static void answer(struct http_exchange *exchange, int status, const char *text)
{
    const struct http_reply reply = {.status = status,
                                     .content_type = text ? "text/plain" : NULL,
                                     .body = slice_of(text ? text : ""),
                                     .is_peers_fault = true};

    http_reply(exchange, &reply);
}

static void on_body(struct http_exchange *exchange, const struct http_request *request,
                    void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&bodies, 1);
    http_exchange_on_gone(exchange, on_gone, NULL);
    if (slice_is(request->head->path, "/own/early"))
        answer(exchange, 400, "early");
    else if (slice_is(request->head->path, "/own/cut"))
        http_exchange_cut(exchange);
}

/* "GET 0 5": the method, the verdict's HTTP status, and how much of a body is there. */
static void handle(struct http_exchange *exchange, const struct http_request *request,
                   void *ctx)
{
    char text[64];

    (void)ctx;
    if (slice_is(request->head->path, "/own/hold")) {
        http_exchange_takes_long(exchange);
        http_exchange_on_gone(exchange, on_gone, NULL);
        holding[atomic_fetch_add(&held, 1)] = exchange;
        return;
    }
    if (slice_is(request->head->path, "/own/release"))
        for (unsigned i = 0; i < atomic_load(&held); i++)
            answer(holding[i], 200, "released");
    if (slice_is(request->head->path, "/own/big")) {
        static const char big[RIG_BIG_BYTES];
        const struct http_reply reply = {
            .status = 200, .content_type = "text/plain", .body = {big, sizeof big}
        };
        http_exchange_on_written(exchange, on_written, NULL);
        http_reply(exchange, &reply);
        return;
    }
    if (request->verdict == ST_TOO_LARGE) {
        answer(exchange, 413, NULL);
        return;
    }
    snprintf(text, sizeof text, "%s %d %zu", http_method_name(request->head->method),
             request->verdict ? status_http(request->verdict) : 0, request->body.len);
    http_exchange_on_written(exchange, on_written, NULL);
    answer(exchange, 200, text);
}

static const struct http_protocol protocol = {
    .owns = owns,
    .on_body = on_body,
    .handle = handle,
};

static struct rig *start(struct rig_options options)
{
    options.protocol = &protocol;
    atomic_store(&bodies, 0);
    atomic_store(&gone, 0);
    atomic_store(&written, 0);
    atomic_store(&lost, 0);
    atomic_store(&held, 0);
    return rig_start(options);
}

static void expect(const atomic_uint *counter, unsigned wanted)
{
    for (int i = 0; i < RIG_WAIT_MS && atomic_load(counter) != wanted; i++)
        usleep(1000);
    assert_int_equal(atomic_load(counter), wanted);
}

static void every_method_and_type_comes_to_the_protocol(void **state)
{
    static const struct {
        const char *request;
        const char *body;
    } rows[] = {
        {"GET /own?x HTTP/1.1\r\nHost: a\r\n\r\n",                       "GET 0 0"    },
        {"DELETE /own/ HTTP/1.1\r\nHost: a\r\n\r\n",                     "DELETE 0 0" },
        {"OPTIONS /own HTTP/1.1\r\nHost: a\r\n\r\n",                     "OPTIONS 0 0"},
        {"PUT /own HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "PUT 0 3"    },
        {"POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",   "POST 0 0"   },
        {"POST /own HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Type: "
         "multipart/x\r\nTransfer-Encoding: "
         "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",       "POST 0 3"   },
    };
    struct rig *rig = start((struct rig_options){0});
    int fd = rig_connect(rig);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_answer got;
        rig_send(fd, slice_of(rows[i].request));
        rig_read(fd, &got);
        assert_int_equal(got.status, 200);
        assert_string_equal(got.body, rows[i].body);
    }
    expect(&written, sizeof rows / sizeof *rows);
    assert_int_equal(atomic_load(&gone), 0);
    close(fd);
    rig_stop(rig);
}

static void it_is_told_of_pages_and_answers_itself(void **state)
{
    struct config_web web = {.allowed_origins = "https://good.example",
                             .trusted_proxies = ""};
    struct web_policy policy;
    struct rig_answer got;

    (void)state;
    web_policy_read(&web, true, &policy);
    struct rig *rig = start((struct rig_options){.policy = &policy});
    rig_ask(rig, "GET /own HTTP/1.1\r\nHost: a\r\nOrigin: https://bad.example\r\n\r\n",
            &got);
    assert_string_equal(got.body, "GET 403 0");
    assert_null(strcasestr(got.head, "Access-Control-Allow-Origin"));
    rig_ask(rig,
            "OPTIONS /own HTTP/1.1\r\nHost: a\r\nOrigin: https://good.example\r\n"
            "Access-Control-Request-Method: POST\r\n"
            "Access-Control-Request-Headers: x-a,authorization\r\n\r\n",
            &got);
    assert_int_equal(got.status, 204);
    assert_non_null(
        strstr(got.head, "Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"));
    assert_non_null(strstr(got.head, "Allow-Headers: x-a,authorization\r\n"));
    /* Errors past the library carry what the page needs to read them, too. */
    rig_ask(rig,
            "POST /own HTTP/1.1\r\nHost: a\r\nOrigin: https://good.example\r\n"
            "Content-Length: 100001\r\n\r\n",
            &got);
    assert_int_equal(got.status, 413);
    assert_non_null(
        strstr(got.head, "Access-Control-Allow-Origin: https://good.example"));
    rig_stop(rig);
}

static void fill(struct buf *request, const char *head, size_t body)
{
    buf_add_text(request, head);
    while (body-- > 0)
        buf_add_byte(request, 'x');
}

static void a_body_over_the_limit_is_its_to_refuse_and_the_answer_is_read(void **state)
{
    static const struct {
        const char *head;
        size_t bytes;
        int status;
        unsigned bodies; /* that were begun */
    } rows[] = {
        {"POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",              100000, 200,
         1                                                                                             },
        {"POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n",              100001, 413,
         0                                                                                             },
        {"POST /own HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFF\r\n",
         300000,                                                                                 413, 1},
        {"POST /own/early HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n",         50000,
         400,                                                                                         1},
        {"POST /own HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
         "Content-Length: 100001\r\n\r\n",                                      0,      413, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *rig = start((struct rig_options){0});
        struct buf request = {.max = 1 << 20};
        struct rig_answer got;
        int fd = rig_connect(rig);
        fill(&request, rows[i].head, rows[i].bytes);
        rig_send(fd, buf_slice(&request));
        rig_read(fd, &got);
        assert_int_equal(got.status, rows[i].status);
        assert_int_equal(atomic_load(&bodies), rows[i].bodies);
        if (rows[i].status != 200)
            assert_true(rig_is_closed(fd));
        assert_int_equal(atomic_load(&gone), 0);
        buf_finish(&request);
        close(fd);
        rig_stop(rig);
    }
}

static void who_breaks_off_is_told_of_once(void **state)
{
    static const struct {
        const char *request;
        unsigned gone;
    } rows[] = {
        {"POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",  1},
        {"GET /own/hold HTTP/1.1\r\nHost: a\r\n\r\n",                      1},
        {"POST /own/cut HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *rig = start((struct rig_options){0});
        int fd = rig_connect(rig);
        rig_send(fd, slice_of(rows[i].request));
        if (rows[i].gone == 0)
            assert_true(rig_is_closed(fd));
        else
            for (int k = 0; atomic_load(&bodies) + atomic_load(&held) == 0; k++)
                assert_true(usleep(1000) == 0 && k < RIG_WAIT_MS);
        close(fd);
        expect(&gone, rows[i].gone);
        rig_expect_calm(rig);
        rig_stop(rig);
        assert_int_equal(atomic_load(&gone), rows[i].gone);
    }
}

static void an_answer_that_is_not_read_is_lost(void **state)
{
    struct rig *rig = start((struct rig_options){0});
    int fd = rig_connect(rig);
    char some[64];

    (void)state;
    rig_send(fd, slice_of("GET /own/big HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(recv(fd, some, sizeof some, 0) > 0);
    close(fd);
    expect(&lost, 1);
    assert_int_equal(atomic_load(&written), 0);
    rig_stop(rig);
}

enum {
    POLLS = 20
};

static void hold_polls(struct rig *rig, int fds[POLLS])
{
    for (unsigned i = 0; i < POLLS; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of("GET /own/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
        expect(&held, i + 1);
    }
}

static void held_requests_leave_room_for_others(void **state)
{
    struct rig *rig =
        start((struct rig_options){.max_connections = 4, .max_long = POLLS});
    struct rig_answer got;
    int fds[POLLS];

    (void)state;
    hold_polls(rig, fds);
    rig_ask(rig, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", &got);
    assert_int_equal(got.status, 200);
    for (unsigned i = 0; i < POLLS; i++)
        close(fds[i]);
    expect(&gone, POLLS);
    rig_stop(rig);
}

/* Who polls asks again on the connection of the last answer. */
static void answered_polls_leave_room_for_others(void **state)
{
    struct rig *rig =
        start((struct rig_options){.max_connections = 4, .max_long = POLLS});
    struct rig_answer got;
    int fds[POLLS];

    (void)state;
    hold_polls(rig, fds);
    rig_ask(rig, "GET /own/release HTTP/1.1\r\nHost: a\r\n\r\n", &got);
    for (unsigned i = 0; i < POLLS; i++) {
        rig_read(fds[i], &got);
        assert_int_equal(got.status, 200);
    }
    rig_ask(rig, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", &got);
    assert_int_equal(got.status, 200);
    for (unsigned i = 0; i < POLLS; i++) {
        rig_send(fds[i], slice_of("GET /own HTTP/1.1\r\nHost: a\r\n\r\n"));
        rig_read(fds[i], &got);
        assert_int_equal(got.status, 200);
        close(fds[i]);
    }
    rig_stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_and_type_comes_to_the_protocol),
        cmocka_unit_test(it_is_told_of_pages_and_answers_itself),
        cmocka_unit_test(a_body_over_the_limit_is_its_to_refuse_and_the_answer_is_read),
        cmocka_unit_test(who_breaks_off_is_told_of_once),
        cmocka_unit_test(an_answer_that_is_not_read_is_lost),
        cmocka_unit_test(held_requests_leave_room_for_others),
        cmocka_unit_test(answered_polls_leave_room_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

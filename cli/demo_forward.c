/* The demo's own small backend: see the header. */
#include "cli/demo_forward.h"

#include "cli/http_call.h"

#include <stdlib.h>

enum {
    FORWARD_TIMEOUT_MS = 5000,
    FORWARD_ANSWER_BYTES = 64 * 1024,
    FORWARD_READ_BYTES = 4096,
    FORWARD_HANDLES = 2
};

/* One event on its way. Gone once both handles are closed. */
struct forward {
    uv_tcp_t tcp;
    uv_timer_t deadline;
    uv_connect_t connect;
    uv_write_t write;
    struct buf request, answer;
    struct http_exchange *exchange; /* NULL: answered, or its peer has left */
    unsigned open_handles;
};

bool demo_publisher_init(struct demo_publisher *publisher, const char *url,
                         const char *key)
{
    char error[DIAL_ERROR_BYTES];

    publisher->key = key;
    if (!dial_parse(url, &publisher->address, error))
        return false;
    int port = atoi(publisher->address.port);
    return !uv_ip4_addr(publisher->address.host, port,
                        (struct sockaddr_in *)&publisher->socket_address) ||
           !uv_ip6_addr(publisher->address.host, port,
                        (struct sockaddr_in6 *)&publisher->socket_address);
}

static void on_closed(uv_handle_t *handle)
{
    struct forward *forward = handle->data;

    if (--forward->open_handles > 0)
        return;
    buf_finish(&forward->request);
    buf_finish(&forward->answer);
    free(forward);
}

static void end(struct forward *forward)
{
    forward->exchange = NULL;
    if (uv_is_closing((uv_handle_t *)&forward->tcp))
        return;
    uv_close((uv_handle_t *)&forward->tcp, on_closed);
    uv_close((uv_handle_t *)&forward->deadline, on_closed);
}

static void fail(struct forward *forward, const char *detail)
{
    struct problem problem = {.status = ST_UNAVAILABLE, .detail = detail};

    if (forward->exchange)
        http_problem(forward->exchange, &problem);
    end(forward);
}

static void relay(struct forward *forward, const struct http_answer *answer)
{
    static const struct http_header no_store = {"Cache-Control", "no-store"};
    struct http_reply reply = {
        .status = answer->status,
        .content_type =
            answer->status < 300 ? "application/json" : "application/problem+json",
        .body = answer->body,
        .headers = &no_store,
        .header_count = 1,
    };

    if (forward->exchange)
        http_reply(forward->exchange, &reply);
    end(forward);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct forward *forward = handle->data;

    (void)suggested;
    buf->base = buf_reserve(&forward->answer, FORWARD_READ_BYTES);
    buf->len = buf->base ? FORWARD_READ_BYTES : 0; /* 0: on_read gets UV_ENOBUFS */
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct forward *forward = stream->data;
    struct http_answer answer;

    (void)buf;
    if (n > 0)
        buf_grew(&forward->answer, (size_t)n);
    enum status st = n < 0 && n != UV_EOF ? ST_UNAVAILABLE
                                          : http_answer_read(buf_slice(&forward->answer),
                                                             n == UV_EOF, &answer);
    if (st == ST_OK)
        relay(forward, &answer);
    else if (st != ST_AGAIN)
        fail(forward, "the publisher's answer was cut off");
}

static void on_written(uv_write_t *write, int code)
{
    struct forward *forward = write->data;

    if (code && code != UV_ECANCELED)
        fail(forward, "the publisher hung up");
}

static void on_connected(uv_connect_t *connect, int code)
{
    struct forward *forward = connect->data;
    uv_buf_t bytes = uv_buf_init(forward->request.ptr, (unsigned)forward->request.len);

    if (code == UV_ECANCELED)
        return;
    if (code || uv_read_start((uv_stream_t *)&forward->tcp, on_alloc, on_read) ||
        uv_write(&forward->write, (uv_stream_t *)&forward->tcp, &bytes, 1, on_written))
        fail(forward, "the publisher cannot be reached");
}

static void on_deadline(uv_timer_t *timer)
{
    fail(timer->data, "the publisher did not answer in time");
}

static void on_gone(void *ctx)
{
    end(ctx);
}

static struct forward *create(uv_loop_t *loop, const struct demo_publisher *publisher,
                              struct slice body)
{
    struct forward *forward = calloc(1, sizeof *forward);

    if (!forward)
        return NULL;
    forward->request.max = body.len + LIMIT_HTTP_HEAD_BYTES;
    forward->answer.max = FORWARD_ANSWER_BYTES;
    http_call_encode(&forward->request, slice_of(publisher->address.authority),
                     "/broadcast", slice_of(publisher->key), body);
    if (buf_status(&forward->request)) {
        buf_finish(&forward->request);
        free(forward);
        return NULL;
    }
    uv_tcp_init(loop, &forward->tcp);
    uv_timer_init(loop, &forward->deadline);
    forward->open_handles = FORWARD_HANDLES;
    forward->tcp.data = forward->deadline.data = forward;
    forward->connect.data = forward->write.data = forward;
    return forward;
}

void demo_forward(uv_loop_t *loop, const struct demo_publisher *publisher,
                  struct http_exchange *exchange, struct slice body)
{
    struct forward *forward = create(loop, publisher, body);

    if (!forward) {
        http_problem(exchange, &(struct problem){.status = ST_NO_MEMORY});
        return;
    }
    forward->exchange = exchange;
    http_exchange_on_gone(exchange, on_gone, forward);
    uv_timer_start(&forward->deadline, on_deadline, FORWARD_TIMEOUT_MS, 0);
    if (uv_tcp_connect(&forward->connect, &forward->tcp,
                       (const struct sockaddr *)&publisher->socket_address, on_connected))
        fail(forward, "the publisher cannot be reached");
}

/*
 * A front and an http_server on a loop of their own, in a thread of their own, and plain
 * blocking clients for the thread of the test.
 */
#ifndef TESTS_SUPPORT_HTTP_RIG_H
#define TESTS_SUPPORT_HTTP_RIG_H

#include "bridge/clock.h"
#include "bridge/front.h"
#include "bridge/http_server_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RIG_ANSWER_BYTES = 8192,
    RIG_WAIT_MS = 3000,
    RIG_ECHO_BYTES = 4096,
    RIG_BIG_BYTES = 8 * 1024 * 1024,
};

struct rig_options {
    unsigned max_connections;
    unsigned max_pending;
    unsigned head_deadline_ms;
    unsigned deadline_ms; /* of every phase behind the front; 0: the real ones */
    front_upgrade_fn *on_upgrade;
    const char *listen;
    const struct web_policy *policy;
    const struct peer_limits_config *limits;
    unsigned max_fd;
    bool always_closes;
    const char *pass_folder; /* NULL: no socket is handed on */
    const char *pass_name;
    front_owner_fn *find_owner;
    bool has_no_listener;
    const struct http_protocol *protocol;
    unsigned max_long;
};

struct rig {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t stop;
    uv_async_t drain;
    struct logger log;
    struct metrics metrics;
    struct http_server *http;
    struct front *front;
    struct peer_limits *limits;
    char address[64];
    char *big;
    atomic_uint held;
    atomic_uint gone;
    atomic_uint answered_awaited, answered_held; /* of those answered later */
    int close_result;
};

/* --- handlers */

static inline void rig_text(struct http_exchange *exchange, struct slice body)
{
    struct http_reply reply = {.status = 200, .content_type = "text/plain", .body = body};

    http_reply(exchange, &reply);
}

static inline void rig_health(struct http_exchange *exchange,
                              const struct http_request *request, void *ctx)
{
    (void)request;
    (void)ctx;
    rig_text(exchange, SLICE("ok"));
}

static inline void rig_echo(struct http_exchange *exchange,
                            const struct http_request *request, void *ctx)
{
    (void)ctx;
    rig_text(exchange, request->body);
}

/* "raw target|peer|request id" */
static inline void rig_mirror(struct http_exchange *exchange,
                              const struct http_request *request, void *ctx)
{
    struct buf text = {.max = 4096};

    (void)ctx;
    buf_add(&text, request->head->target);
    buf_print(&text, "|%s|%s", request->peer_ip, request->request_id);
    rig_text(exchange, buf_slice(&text));
    buf_finish(&text);
}

static inline void rig_on_gone(void *ctx)
{
    struct rig *rig = ctx;

    atomic_fetch_add(&rig->gone, 1);
}

static inline void rig_hold(struct http_exchange *exchange,
                            const struct http_request *request, void *ctx)
{
    struct rig *rig = ctx;

    (void)request;
    http_exchange_on_gone(exchange, rig_on_gone, rig);
    atomic_fetch_add(&rig->held, 1);
}

/* What happens to it happens in the next turn, while it is awaited. */
static inline void rig_hold_and_drain(struct http_exchange *exchange,
                                      const struct http_request *request, void *ctx)
{
    struct rig *rig = ctx;

    rig_hold(exchange, request, ctx);
    uv_async_send(&rig->drain);
}

static inline void rig_hold_and_leave(struct http_exchange *exchange,
                                      const struct http_request *request, void *ctx)
{
    rig_hold(exchange, request, ctx);
    shutdown(exchange->connection->fd, SHUT_RD); /* as if the peer had sent its end */
}

static inline void rig_on_later_closed(uv_handle_t *handle)
{
    free(handle);
}

static inline void rig_on_later(uv_timer_t *timer)
{
    const struct http_exchange *exchange = timer->data;
    struct rig *rig = timer->loop->data;

    atomic_fetch_add(exchange->state == EXCHANGE_AWAITED ? &rig->answered_awaited
                                                         : &rig->answered_held,
                     1);
    rig_text(timer->data, SLICE("later"));
    uv_close((uv_handle_t *)timer, rig_on_later_closed);
}

static inline void rig_answer_after(struct rig *rig, struct http_exchange *exchange,
                                    unsigned ms)
{
    uv_timer_t *timer = malloc(sizeof *timer);

    uv_timer_init(&rig->loop, timer);
    timer->data = exchange;
    uv_timer_start(timer, rig_on_later, ms, 0);
}

static inline void rig_later(struct http_exchange *exchange,
                             const struct http_request *request, void *ctx)
{
    (void)request;
    rig_answer_after(ctx, exchange, 20);
}

/* In the next turn of the loop. */
static inline void rig_soon(struct http_exchange *exchange,
                            const struct http_request *request, void *ctx)
{
    (void)request;
    rig_answer_after(ctx, exchange, 0);
}

static inline void rig_big(struct http_exchange *exchange,
                           const struct http_request *request, void *ctx)
{
    struct rig *rig = ctx;

    (void)request;
    rig_text(exchange, (struct slice){rig->big, RIG_BIG_BYTES});
}

static inline void rig_refuse(struct http_exchange *exchange,
                              const struct http_request *request, void *ctx)
{
    struct problem problem = {.status = ST_UNAUTH, .detail = "No key."};

    (void)request;
    (void)ctx;
    http_problem(exchange, &problem);
}

static const struct http_route rig_routes[] = {
    {HTTP_GET,  "/health",  0,              rig_health,         NULL, NULL},
    {HTTP_POST, "/echo",    RIG_ECHO_BYTES, rig_echo,           NULL, NULL},
    {HTTP_GET,  "/mirror*", 0,              rig_mirror,         NULL, NULL},
    {HTTP_GET,  "/hold",    0,              rig_hold,           NULL, NULL},
    {HTTP_GET,  "/drain",   0,              rig_hold_and_drain, NULL, NULL},
    {HTTP_GET,  "/leave",   0,              rig_hold_and_leave, NULL, NULL},
    {HTTP_GET,  "/later",   0,              rig_later,          NULL, NULL},
    {HTTP_GET,  "/soon",    0,              rig_soon,           NULL, NULL},
    {HTTP_GET,  "/big",     0,              rig_big,            NULL, NULL},
    {HTTP_GET,  "/secret",  0,              rig_refuse,         NULL, NULL},
    {HTTP_POST, "/later",   RIG_ECHO_BYTES, rig_later,          NULL, NULL},
};

/* --- the loop */

static inline void rig_on_stop(uv_async_t *async)
{
    struct rig *rig = async->data;

    front_destroy(rig->front);
    http_server_drain(rig->http);
    http_server_destroy(rig->http);
    uv_close((uv_handle_t *)&rig->stop, NULL);
    uv_close((uv_handle_t *)&rig->drain, NULL);
}

static inline void rig_on_drain(uv_async_t *async)
{
    struct rig *rig = async->data;

    http_server_drain(rig->http);
}

static inline void rig_run(void *ctx)
{
    struct rig *rig = ctx;

    uv_run(&rig->loop, UV_RUN_DEFAULT);
    rig->close_result = uv_loop_close(&rig->loop);
}

/* Gives its end of what is handed on, or NULL. */
static inline struct fd_pass *rig_pass(struct rig *rig, const struct rig_options *options)
{
    const struct fd_pass_config config = {
        .loop = &rig->loop,
        .log = &rig->log,
        .metrics = &rig->metrics,
        .folder = options->pass_folder,
        .name = options->pass_name,
    };
    const char *reason = NULL;

    if (!options->pass_folder)
        return NULL;
    struct fd_pass *pass = fd_pass_create(&config, &reason);
    assert_non_null(pass);
    return pass;
}

/* Gives a rig (rig_stop). */
static inline struct rig *rig_start(struct rig_options options)
{
    struct rig *rig = calloc(1, sizeof *rig);
    const char *reason = NULL;
    int fd =
        front_listen(options.listen ? options.listen : "127.0.0.1:0", false, &reason);

    assert_true(fd >= 0);
    front_address(fd, rig->address);
    rig->big = calloc(1, RIG_BIG_BYTES);
    rig->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "test"};
    uv_loop_init(&rig->loop);
    rig->loop.data = rig;
    uv_async_init(&rig->loop, &rig->stop, rig_on_stop);
    uv_async_init(&rig->loop, &rig->drain, rig_on_drain);
    rig->stop.data = rig;
    rig->drain.data = rig;

    struct http_server_config http = {
        .loop = &rig->loop,
        .log = &rig->log,
        .metrics = &rig->metrics,
        .max_connections = options.max_connections ? options.max_connections : 1000,
        .policy = options.policy,
        .max_long = options.max_long,
        .max_fd = options.max_fd,
        .protocol = options.protocol,
        .always_closes = options.always_closes,
        .routes = rig_routes,
        .route_count = sizeof rig_routes / sizeof *rig_routes,
        .ctx = rig,
    };
    rig->http = http_server_create(&http);
    assert_non_null(rig->http);
    for (int phase = 0; phase < HTTP_PHASES && options.deadline_ms; phase++)
        rig->http->deadlines.ms[phase] = options.deadline_ms;

    if (options.limits)
        rig->limits = peer_limits_create(options.limits);
    if (options.has_no_listener) {
        close(fd);
        fd = -1;
    }
    struct front_config front = {
        .loop = &rig->loop,
        .log = &rig->log,
        .metrics = &rig->metrics,
        .listen_fd = fd,
        .max_pending = options.max_pending ? options.max_pending : 1000,
        .head_deadline_ms = options.head_deadline_ms ? options.head_deadline_ms : 5000,
        .max_fd = options.max_fd,
        .policy = options.policy,
        .limits = rig->limits,
        .http = rig->http,
        .on_upgrade = options.on_upgrade,
        .pass = rig_pass(rig, &options),
        .find_owner = options.find_owner,
        .ctx = rig,
    };
    rig->front = front_create(&front);
    assert_non_null(rig->front);
    uv_thread_create(&rig->thread, rig_run, rig);
    return rig;
}

static inline void rig_stop(struct rig *rig)
{
    uv_async_send(&rig->stop);
    uv_thread_join(&rig->thread);
    assert_int_equal(rig->close_result, 0);
    peer_limits_destroy(rig->limits);
    free(rig->big);
    free(rig);
}

/* --- clients */

static inline int rig_connect_socket(const struct rig *rig, int fd)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6,
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct timeval wait = {.tv_sec = RIG_WAIT_MS / 1000};

    to.sin_port = htons((uint16_t)atoi(strrchr(rig->address, ':') + 1));
    to6.sin6_port = to.sin_port;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (strncmp(rig->address, "[::1]", 5) == 0)
        assert_int_equal(connect(fd, (struct sockaddr *)&to6, sizeof to6), 0);
    else
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    return fd;
}

static inline int rig_connect(const struct rig *rig)
{
    int family = strncmp(rig->address, "[::1]", 5) == 0 ? AF_INET6 : AF_INET;

    return rig_connect_socket(rig, socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* False: the other end has closed. */
static inline bool rig_send(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

struct rig_answer {
    int status; /* 0: closed, or nothing within RIG_WAIT_MS */
    bool timed_out;
    char head[RIG_ANSWER_BYTES];
    char body[RIG_ANSWER_BYTES];
};

/* One answer with its body, and not a byte of the next; without a body for a HEAD. */
static inline void rig_read_one(int fd, bool is_head, struct rig_answer *answer)
{
    size_t len = 0;

    memset(answer, 0, sizeof *answer);
    while (len < RIG_ANSWER_BYTES - 1 && !strstr(answer->head, "\r\n\r\n")) {
        ssize_t n = recv(fd, answer->head + len, 1, 0);
        answer->timed_out = n < 0 && errno == EAGAIN;
        if (n <= 0)
            return;
        len++;
    }
    sscanf(answer->head, "HTTP/1.1 %d", &answer->status);
    const char *length = strcasestr(answer->head, "\r\nContent-Length:");
    size_t left = length ? (size_t)atol(length + strlen("\r\nContent-Length:")) : 0;
    if (is_head)
        left = 0;
    for (len = 0; left > 0 && len < RIG_ANSWER_BYTES - 1;) {
        ssize_t n = recv(fd, answer->body + len, left, 0);
        if (n <= 0)
            return;
        len += (size_t)n;
        left -= (size_t)n;
    }
}

static inline void rig_read(int fd, struct rig_answer *answer)
{
    rig_read_one(fd, false, answer);
}

/* True once the other end has closed; what still comes is read and forgotten. */
static inline bool rig_is_closed(int fd)
{
    char rest[4096];
    ssize_t n;

    do
        n = recv(fd, rest, sizeof rest, 0);
    while (n > 0);
    return n == 0 || errno == ECONNRESET;
}

/* One request on a connection of its own. */
static inline void rig_ask(const struct rig *rig, const char *request,
                           struct rig_answer *answer)
{
    int fd = rig_connect(rig);

    rig_send(fd, slice_of(request));
    rig_read(fd, answer);
    close(fd);
}

static inline void rig_expect_problem(const struct rig_answer *answer, int status,
                                      const char *code)
{
    char member[64];

    snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    assert_int_equal(answer->status, status);
    assert_non_null(strstr(answer->head, "application/problem+json"));
    assert_non_null(strcasestr(answer->head, "\r\nX-Request-Id: "));
    assert_non_null(strstr(answer->body, member));
}

static inline uint64_t rig_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* The loop idles, and answers within a second. */
static inline void rig_expect_calm(const struct rig *rig)
{
    struct rig_answer answer;
    uint64_t cpu = rig_cpu_us();

    usleep(300000);
    assert_true(rig_cpu_us() - cpu < 30000);
    uint64_t began = clock_ms();
    rig_ask(rig, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(clock_ms() - began < 1000);
}

/* True once *counter has come to `value`. */
static inline bool rig_wait_for(atomic_uint *counter, unsigned value, unsigned wait_ms)
{
    uint64_t end = clock_ms() + wait_ms;

    while (atomic_load(counter) < value) {
        if (clock_ms() > end)
            return false;
        usleep(1000);
    }
    return true;
}

static inline bool rig_metric_reaches(struct rig *rig, enum metric metric, uint64_t value)
{
    for (int i = 0; i < RIG_WAIT_MS; i++) {
        if (atomic_load(&rig->metrics.values[metric]) == value)
            return true;
        usleep(1000);
    }
    return false;
}

#endif

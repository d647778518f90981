/*
 * A whole publisher on a loop of its own, in a thread of its own, with an engine made of
 * nothing: the test says when it keeps, and how many it counts. Clients are plain
 * blocking sockets of the test's thread.
 */
#ifndef TESTS_SUPPORT_PUBLISHER_RIG_H
#define TESTS_SUPPORT_PUBLISHER_RIG_H

#include "bridge/front.h"
#include "publisher-api/publisher.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RIG_KEY "sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define RIG_SECRET "0123456789abcdef0123456789abcdef"

enum {
    RIG_HELD_MAX = 64,
    RIG_ANSWER_BYTES = 16 * 1024,
};

/* What the engine does with an append. */
enum rig_mode {
    RIG_KEEPS,      /* a moment later */
    RIG_KEEPS_NOW,  /* before append returns */
    RIG_HOLDS,      /* until the mode changes */
    RIG_IS_BUSY,    /* append says no */
    RIG_LOSES_LOG,  /* a moment later, not kept */
    RIG_COUNTS_LATE /* kept at once, counted a moment later */
};

struct rig_held {
    engine_kept_fn *on_kept;
    engine_count_fn *on_count;
    void *ctx;
    size_t count; /* of envelopes */
};

struct rig_engine {
    struct engine base;
    atomic_int mode;
    atomic_uint appended;
    atomic_uint places; /* so many may be held; of more, append says no */
    atomic_ullong recipients;
    atomic_bool complete, is_rebuilding;
    uint64_t seq;
    char last[4096]; /* of the last envelope; read while nothing is in flight */
    size_t last_len;
    char before[4096]; /* of the one before it */
    size_t before_len;
    struct rig_held held[RIG_HELD_MAX];
    size_t held_count;
};

struct rig {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t stop, drain;
    uv_timer_t turn;
    struct logger log;
    struct metrics metrics;
    struct lifecycle *lifecycle;
    struct token_keys *keys;
    struct config_publisher settings;
    struct rig_engine engine;
    struct publisher *publisher;
    int api_port, ops_port;
    atomic_bool drained;
    int close_result;
};

/* --- the engine */

static inline struct rig_engine *rig_engine_of(struct engine *engine)
{
    return (struct rig_engine *)engine;
}

static inline void rig_kept(struct rig_engine *engine, enum status status,
                            const struct rig_held *held)
{
    engine->seq += status ? 0 : held->count;
    const struct position position = {1, engine->seq};
    held->on_kept(held->ctx, status, status ? NULL : &position);
}

static inline void rig_look_at(struct rig_engine *engine, struct slice envelope)
{
    memcpy(engine->before, engine->last, engine->last_len);
    engine->before_len = engine->last_len;
    engine->last_len = envelope.len < sizeof engine->last ? envelope.len : 0;
    memcpy(engine->last, envelope.ptr, engine->last_len);
    engine->appended++;
}

static inline enum status rig_append(struct engine *base,
                                     const struct engine_append *what,
                                     engine_kept_fn *on_kept, void *ctx)
{
    struct rig_engine *engine = rig_engine_of(base);
    const struct rig_held held = {.on_kept = on_kept, .ctx = ctx, .count = what->count};
    int mode = engine->mode;

    if (mode == RIG_IS_BUSY || engine->held_count + what->count > engine->places)
        return ST_BUSY;
    for (size_t i = 0; i < what->count; i++)
        rig_look_at(engine, what->entries[i].envelope);
    if (mode == RIG_KEEPS_NOW || mode == RIG_COUNTS_LATE)
        rig_kept(engine, ST_OK, &held);
    else
        engine->held[engine->held_count++] = held;
    return ST_OK;
}

static inline void rig_keys(struct engine *base, engine_key_fn *visit, void *ctx)
{
    (void)base, (void)visit, (void)ctx;
}

static inline void rig_count(struct engine *base, struct slice nsp,
                             const struct envelope_target *targets, size_t target_count,
                             const struct slice *except, size_t except_count,
                             engine_count_fn *on_count, void *ctx)
{
    struct rig_engine *engine = rig_engine_of(base);
    const struct engine_count count = {engine->recipients, engine->complete,
                                       engine->is_rebuilding};

    (void)nsp, (void)targets, (void)target_count, (void)except, (void)except_count;
    if (engine->mode == RIG_COUNTS_LATE)
        engine->held[engine->held_count++] =
            (struct rig_held){.on_count = on_count, .ctx = ctx};
    else
        on_count(ctx, &count);
}

static inline void rig_engine_flush(struct rig_engine *engine)
{
    const struct engine_count count = {engine->recipients, engine->complete,
                                       engine->is_rebuilding};
    size_t n = engine->held_count;

    engine->held_count = 0;
    for (size_t i = 0; i < n; i++) {
        struct rig_held held = engine->held[i];
        if (held.on_count)
            held.on_count(held.ctx, &count);
        else
            rig_kept(engine, engine->mode == RIG_LOSES_LOG ? ST_LOG_DOWN : ST_OK, &held);
    }
}

static inline void rig_head(struct engine *base, struct position *position)
{
    *position = (struct position){1, rig_engine_of(base)->seq};
}

static inline void rig_totals(struct engine *base, struct engine_totals *totals)
{
    const struct rig_engine *engine = rig_engine_of(base);

    *totals = (struct engine_totals){3, 2, 4, 9, engine->complete, engine->is_rebuilding};
}

static inline void rig_gateways(struct engine *base, engine_gateway_fn *visit, void *ctx)
{
    struct engine_gateway gateway = {
        .id = SLICE("g1"), .pid = 12, .is_ready = true, .lag_ms = 5};

    (void)base;
    gateway.counters.values[METRIC_CONNECTIONS] = 3;
    gateway.counters.values[METRIC_DELIVERIES] = 40;
    visit(ctx, &gateway);
}

static inline bool rig_is_ready(struct engine *base)
{
    (void)base;
    return true;
}

static inline const char *rig_durability(struct engine *base)
{
    (void)base;
    return "memory";
}

static const struct engine_ops rig_ops = {
    .name = "rig",
    .append = rig_append,
    .keys = rig_keys,
    .head = rig_head,
    .count = rig_count,
    .totals = rig_totals,
    .gateways = rig_gateways,
    .is_ready = rig_is_ready,
    .durability = rig_durability,
};

/* --- the loop's thread */

static inline void rig_on_turn(uv_timer_t *timer)
{
    struct rig *rig = timer->data;
    if (rig->engine.mode != RIG_HOLDS)
        rig_engine_flush(&rig->engine);
}

static inline void rig_on_drained(void *ctx)
{
    ((struct rig *)ctx)->drained = true;
}

static inline void rig_on_drain(uv_async_t *async)
{
    struct rig *rig = async->data;
    publisher_drain(rig->publisher, rig_on_drained, rig);
}

/* The engine outlives the publisher, and lets go afterwards. */
static inline void rig_on_stop(uv_async_t *async)
{
    struct rig *rig = async->data;

    publisher_destroy(rig->publisher);
    rig_engine_flush(&rig->engine);
    lifecycle_destroy(rig->lifecycle);
    uv_close((uv_handle_t *)&rig->stop, NULL);
    uv_close((uv_handle_t *)&rig->drain, NULL);
    uv_close((uv_handle_t *)&rig->turn, NULL);
}

static inline void rig_run(void *arg)
{
    struct rig *rig = arg;

    uv_run(&rig->loop, UV_RUN_DEFAULT);
    rig->close_result = uv_loop_close(&rig->loop);
}

static inline int rig_listen(int *port)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof address;
    const char *reason;
    int fd = front_listen("127.0.0.1:0", false, &reason);

    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline void rig_nothing(void *ctx)
{
    (void)ctx;
}

/* Shares `system`; NULL: without a configuration file. */
static inline struct rig *rig_start_with(struct system *system)
{
    struct rig *rig = calloc(1, sizeof *rig);
    const char *reason = NULL;

    rig->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "test"};
    rig->engine.base.ops = &rig_ops;
    rig->engine.places = RIG_HELD_MAX;
    rig->engine.recipients = 17;
    rig->engine.complete = true;
    rig->keys = token_keys_create();
    assert_int_equal(token_keys_add(rig->keys, TOKEN_HS256, SLICE(""), SLICE(RIG_SECRET)),
                     ST_OK);
    rig->settings = (struct config_publisher){
        .api_keys = RIG_KEY, .max_body_bytes = 2000, .idempotency_ms = 60000};
    uv_loop_init(&rig->loop);
    uv_async_init(&rig->loop, &rig->stop, rig_on_stop);
    uv_async_init(&rig->loop, &rig->drain, rig_on_drain);
    uv_timer_init(&rig->loop, &rig->turn);
    rig->stop.data = rig->drain.data = rig->turn.data = rig;
    uv_timer_start(&rig->turn, rig_on_turn, 2, 2);
    rig->lifecycle = lifecycle_create(&(struct lifecycle_config){
        .loop = &rig->loop, .log = &rig->log, .on_stop = rig_nothing});
    lifecycle_ready(rig->lifecycle, true, NULL);

    static const struct config_web rig_web = {.allowed_origins = "",
                                              .trusted_proxies = "127.0.0.1"};
    struct publisher_config config = {
        .loop = &rig->loop,
        .log = &rig->log,
        .metrics = &rig->metrics,
        .engine = &rig->engine.base,
        .settings = &rig->settings,
        .web = &rig_web,
        .keys = rig->keys,
        .system = system,
        .lifecycle = rig->lifecycle,
        .version = "0.1.0",
        .listen_fd = rig_listen(&rig->api_port),
        .ops_fd = rig_listen(&rig->ops_port),
    };
    rig->publisher = publisher_create(&config, &reason);
    if (!rig->publisher)
        fail_msg("%s", reason);
    uv_thread_create(&rig->thread, rig_run, rig);
    return rig;
}

static inline struct rig *rig_start(void)
{
    return rig_start_with(NULL);
}

static inline void rig_stop(struct rig *rig)
{
    uv_async_send(&rig->stop);
    uv_thread_join(&rig->thread);
    assert_int_equal(rig->close_result, 0);
    token_keys_destroy(rig->keys);
    free(rig);
}

/* --- a client */

struct rig_answer {
    int status;
    char text[RIG_ANSWER_BYTES]; /* head and body */
    const char *body;
};

static inline int rig_send(int port, const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

/* Reads to the end and closes; the request has asked for Connection: close. */
static inline void rig_read(int fd, struct rig_answer *answer)
{
    size_t len = 0;
    ssize_t n;

    while ((n = recv(fd, answer->text + len, sizeof answer->text - 1 - len, 0)) > 0)
        len += (size_t)n;
    close(fd);
    answer->text[len] = '\0';
    answer->status = 0;
    sscanf(answer->text, "HTTP/1.1 %d", &answer->status);
    answer->body = strstr(answer->text, "\r\n\r\n");
    answer->body = answer->body ? answer->body + 4 : "";
}

/* `fields` are whole lines, each with its end. */
static inline void rig_get(int port, const char *target, const char *fields,
                           struct rig_answer *answer)
{
    char request[2048];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", target, fields);
    rig_read(rig_send(port, request), answer);
}

static inline int rig_post_begin(struct rig *rig, const char *target, const char *fields,
                                 const char *body)
{
    char request[8192];

    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: "
             "%zu\r\n\r\n%s",
             target, fields, strlen(body), body);
    return rig_send(rig->api_port, request);
}

static inline void rig_post(struct rig *rig, const char *target, const char *fields,
                            const char *body, struct rig_answer *answer)
{
    rig_read(rig_post_begin(rig, target, fields, body), answer);
}

#endif

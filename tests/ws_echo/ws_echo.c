/*
 * A WebSocket server that sends every message back, made of the gateway's own front,
 * WebSocket library options and transport: what a fuzzer of RFC 6455 finds here, it would
 * find in the gateway. Listens on 127.0.0.1 alone, prints its address, ends at SIGTERM.
 *
 *   ws_echo [PORT]
 */
#include "bridge/front.h"
#include "client-gw/frame_queue.h"
#include "client-gw/transport_ws.h"
#include "client-gw/ws_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MESSAGE_BYTES = 16 * 1024 * 1024, /* the suites send that much at once */
    LAST_TURNS = 64
};

static const struct frame_limits outbox_limits = {4 * MESSAGE_BYTES, 100000};

struct echo {
    uv_loop_t loop;
    uv_signal_t stop;
    struct logger log;
    struct metrics metrics;
    struct ws_server *ws;
    struct http_server *http;
    struct front *front;
};

struct peer {
    struct transport *transport;
    struct frame_queue outbox;
    struct buf message;
    bool is_binary, is_closing;
};

static void end(struct peer *peer, unsigned code)
{
    if (!peer->is_closing)
        peer->transport->ops->close(peer->transport, code, (struct slice){0});
    peer->is_closing = true;
}

static void *on_open(void *ctx, struct arrival *arrival, struct lws *wsi)
{
    struct peer *peer = calloc(1, sizeof *peer);

    (void)ctx;
    (void)arrival;
    if (peer)
        peer->transport = transport_ws_create(wsi);
    if (!peer || !peer->transport) {
        free(peer);
        return NULL;
    }
    peer->message.max = MESSAGE_BYTES;
    return peer;
}

static void send_back(struct peer *peer)
{
    struct frame *frame = frame_create(peer->is_binary ? WS_OP_BINARY : WS_OP_TEXT,
                                       buf_slice(&peer->message));

    if (!frame || frame_queue_push(&peer->outbox, &outbox_limits, frame))
        end(peer, 1013);
    else if (!peer->transport->is_blocked)
        peer->transport->ops->flush(peer->transport, &peer->outbox);
    frame_drop(frame);
    buf_clear(&peer->message);
}

static void on_data(void *ctx, struct slice piece, bool is_binary, bool is_first,
                    bool is_final)
{
    struct peer *peer = ctx;

    if (peer->is_closing)
        return;
    if (is_first)
        peer->is_binary = is_binary;
    buf_add(&peer->message, piece);
    if (buf_status(&peer->message))
        end(peer, 1009);
    else if (is_final)
        send_back(peer);
}

static void on_pong(void *ctx)
{
    (void)ctx;
}

static void on_drained(void *ctx)
{
    struct peer *peer = ctx;

    peer->transport->ops->drained(peer->transport, &peer->outbox);
}

static void on_gone(void *ctx, void *gone)
{
    struct peer *peer = gone;

    (void)ctx;
    peer->transport->ops->destroy(peer->transport);
    frame_queue_finish(&peer->outbox);
    buf_finish(&peer->message);
    free(peer);
}

static const struct ws_events events = {on_open, on_data, on_pong, on_drained, on_gone};

static enum status on_upgrade(void *ctx, int fd, const struct front_visit *visit,
                              struct problem *refusal)
{
    struct echo *echo = ctx;

    (void)refusal;
    /* Who arrives is nobody in particular: the library hands it back unread. */
    ws_server_adopt(echo->ws, fd, visit->head, false, (struct arrival *)echo);
    return ST_OK;
}

static bool listen_at(struct echo *echo, const char *port)
{
    const char *reason = "";
    char address[64];

    snprintf(address, sizeof address, "127.0.0.1:%s", port);
    int fd = front_listen(address, false, &reason);
    if (fd < 0) {
        fprintf(stderr, "ws_echo: %s: %s\n", address, reason);
        return false;
    }
    front_address(fd, address);
    echo->ws = ws_server_create(
        &(struct ws_server_config){.loop = &echo->loop, .events = &events, .ctx = echo});
    echo->http =
        http_server_create(&(struct http_server_config){.loop = &echo->loop,
                                                        .log = &echo->log,
                                                        .metrics = &echo->metrics,
                                                        .max_connections = 64});
    if (!echo->ws || !echo->http)
        return false;
    echo->front = front_create(&(struct front_config){
        .loop = &echo->loop,
        .log = &echo->log,
        .metrics = &echo->metrics,
        .listen_fd = fd,
        .max_pending = 64,
        .head_deadline_ms = 5000,
        .http = echo->http,
        .on_upgrade = on_upgrade,
        .ctx = echo,
    });
    printf("ws://%s\n", address);
    fflush(stdout);
    return echo->front != NULL;
}

static void on_stop(uv_signal_t *handle, int signum)
{
    struct echo *echo = handle->data;

    (void)signum;
    uv_close((uv_handle_t *)&echo->stop, NULL);
    front_destroy(echo->front);
    http_server_destroy(echo->http);
    ws_server_stop(echo->ws);
    uv_stop(&echo->loop);
}

int main(int argc, char **argv)
{
    struct echo *echo = calloc(1, sizeof *echo);

    if (!echo || uv_loop_init(&echo->loop))
        return 1;
    signal(SIGPIPE, SIG_IGN);
    echo->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "ws_echo"};
    uv_signal_init(&echo->loop, &echo->stop);
    echo->stop.data = echo;
    uv_signal_start(&echo->stop, on_stop, SIGTERM);
    if (!listen_at(echo, argc > 1 ? argv[1] : "0"))
        return 1;
    uv_run(&echo->loop, UV_RUN_DEFAULT);
    for (int turn = 0; turn < LAST_TURNS && uv_run(&echo->loop, UV_RUN_NOWAIT); turn++)
        ;
    ws_server_destroy(echo->ws);
    uv_loop_close(&echo->loop);
    free(echo);
    return 0;
}

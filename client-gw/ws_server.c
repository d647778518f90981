/* libwebsockets on our loop: see the header. */
#include "client-gw/ws_server.h"

#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    RX_BUFFER_BYTES = 256, /* of each connection, for ever; longer messages come in
                              pieces. 0 would mean 4 KiB */
    TX_PACKET_BYTES = 64 * 1024,
    HANDSHAKE_S = 5,
};

struct ws_server {
    struct lws_context *context;
    struct lws_vhost *vhost;
    const struct ws_events *events;
    void *ctx;
    struct arrival *arriving; /* of the connection that is being adopted; NULL: none */
    bool is_stopped;
};

/*
 * Corked, what is written waits for the rest: the library's 101 and the dialect's first
 * words leave in one segment.
 */
static void set_cork(int fd, int is_on)
{
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &is_on, sizeof is_on);
}

/* From now on the wsi carries the peer. */
static int opened(struct ws_server *server, struct lws *wsi)
{
    struct arrival *arrival = server->arriving;

    server->arriving = NULL;
    if (!arrival)
        return -1;
    void *peer = server->events->on_open(server->ctx, arrival, wsi);
    lws_set_opaque_user_data(wsi, peer);
    set_cork(lws_get_socket_fd(wsi), 0);
    return peer ? 0 : -1;
}

static void received(const struct ws_server *server, struct lws *wsi, void *peer,
                     struct slice piece)
{
    bool is_final = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

    server->events->on_data(peer, piece, lws_frame_is_binary(wsi) != 0,
                            lws_is_first_fragment(wsi) != 0, is_final);
}

static void closed(const struct ws_server *server, struct lws *wsi, void *peer)
{
    lws_set_opaque_user_data(wsi, NULL);
    server->events->on_gone(server->ctx, peer);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len)
{
    (void)user;
    if (!wsi)
        return 0; /* about the library, not a connection */
    struct ws_server *server = lws_context_user(lws_get_context(wsi));
    void *peer = lws_get_opaque_user_data(wsi);

    switch (reason) {
    /* Only upgrades to WebSocket come here; whatever else the library makes of one is
     * refused. */
    case LWS_CALLBACK_HTTP: return -1;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return in && slice_is_nocase(slice_of(in), "websocket") ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED: return opened(server, wsi);
    default: break;
    }
    if (!peer)
        return 0;

    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        received(server, wsi, peer, (struct slice){in, len});
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG: server->events->on_pong(peer); return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: server->events->on_drained(peer); return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY: closed(server, wsi, peer); return 0;
    default: return 0;
    }
}

/* The first protocol is the one of a client that names none, and nothing is echoed to it.
 */
static const struct lws_protocols protocols[] = {
    {.name = "sidecast.v1",
     .callback = on_event,
     .rx_buffer_size = RX_BUFFER_BYTES,
     .tx_packet_size = TX_PACKET_BYTES},
    {0},
};

/* All zero: no validity timers of the library, whose list makes 10,000 handshakes
 * quadratic. */
static const lws_retry_bo_t no_retry_policy;

struct ws_server *ws_server_create(const struct ws_server_config *config)
{
    struct ws_server *server = calloc(1, sizeof *server);
    void *loops[] = {config->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8,
        .foreign_loops = loops,
        .protocols = protocols,
        .user = server,
        .retry_and_idle_policy = &no_retry_policy,
        .timeout_secs = HANDSHAKE_S,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };

    if (!server)
        return NULL;
    lws_set_log_level(0, NULL);
    server->events = config->events;
    server->ctx = config->ctx;
    server->context = lws_create_context(&info);
    if (!server->context) {
        free(server);
        return NULL;
    }
    server->vhost = lws_create_vhost(server->context, &info);
    if (!server->vhost) {
        lws_context_destroy(server->context);
        free(server);
        return NULL;
    }
    return server;
}

/* The bytes were peeked at before, so they are all there. */
static bool read_head(int fd, size_t left)
{
    char bytes[LIMIT_HTTP_HEAD_BYTES];

    while (left > 0) {
        ssize_t n =
            recv(fd, bytes, left < sizeof bytes ? left : sizeof bytes, MSG_DONTWAIT);
        if (n <= 0)
            return false;
        left -= (size_t)n;
    }
    return true;
}

enum status ws_server_adopt(struct ws_server *server, int fd,
                            const struct http_head *head, bool has_subprotocol,
                            struct arrival *arrival)
{
    struct slice key = http_head_field(head, "sec-websocket-key");
    char request[512];
    int len = snprintf(request, sizeof request,
                       "GET / HTTP/1.1\r\nHost: sidecast\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: %.*s\r\n%s\r\n",
                       (int)key.len, key.ptr,
                       has_subprotocol ? "Sec-WebSocket-Protocol: sidecast.v1\r\n" : "");

    if (!read_head(fd, head->head_bytes)) {
        close(fd);
        return ST_BUSY;
    }
    /*
     * The request is all there, so the handshake runs within this call. The socket is the
     * library's, also on failure.
     */
    set_cork(fd, 1);
    server->arriving = arrival;
    lws_adopt_socket_vhost_readbuf(server->vhost, fd, request, (size_t)len);
    bool has_opened = server->arriving == NULL;
    server->arriving = NULL;
    return has_opened ? ST_OK : ST_BUSY;
}

void ws_server_stop(struct ws_server *server)
{
    if (server->is_stopped)
        return;
    server->is_stopped = true;
    lws_context_destroy(server->context);
}

void ws_server_destroy(struct ws_server *server)
{
    if (!server)
        return;
    ws_server_stop(server);
    /* On a foreign loop the context is freed by a second call, once the loop has run its
     * closes. */
    lws_context_destroy(server->context);
    free(server);
}

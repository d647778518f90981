/*
 * libwebsockets, reduced to what it is good at: it reads frames, answers pings, closes.
 * The only requests it parses are of our own writing, and its callback only translates:
 * one call of ws_events per event. Loop thread.
 */
#ifndef CLIENT_GW_WS_SERVER_H
#define CLIENT_GW_WS_SERVER_H

#include "client-gw/transport.h"
#include "proto/http_gate.h"

#include <uv.h>

struct ws_server;
struct lws;
struct arrival; /* who is coming: made at the upgrade, handed back once it is open */

struct ws_events {
    /* The handshake is through. Takes `arrival`. Gives what the other events get; NULL
     * closes. */
    void *(*on_open)(void *ctx, struct arrival *arrival, struct lws *wsi);
    /* A piece of a message; `is_final`: the last one of it. */
    void (*on_data)(void *peer, struct slice piece, bool is_binary, bool is_first,
                    bool is_final);
    void (*on_pong)(void *peer);
    void (*on_drained)(void *peer); /* the socket takes more */
    void (*on_gone)(void *ctx, void *peer);
};

struct ws_server_config {
    uv_loop_t *loop;
    const struct ws_events *events; /* keeps */
    void *ctx;
};

struct ws_server *ws_server_create(const struct ws_server_config *config);

/*
 * Takes `fd` and, on ST_OK, `arrival`. Borrows `head`, the checked upgrade request that
 * still lies unread in the socket: it is read here, and the library gets one of our own
 * with nothing of it but the key. `has_subprotocol`: sidecast.v1 was offered and is
 * echoed. on_open runs within the call, or never.
 */
enum status ws_server_adopt(struct ws_server *server, int fd,
                            const struct http_head *head, bool has_subprotocol,
                            struct arrival *arrival);

/* Closes what is open, without waiting (on_gone runs), and its handles on the loop. */
void ws_server_stop(struct ws_server *server);
/* Frees the rest; after the loop has run out. */
void ws_server_destroy(struct ws_server *server);

#endif

/*
 * The gateway: the log in, browsers out. One front for WebSocket and HTTP. The caller
 * opens everything it stands on and owns it. Loop thread only.
 */
#ifndef CLIENT_GW_GATEWAY_H
#define CLIENT_GW_GATEWAY_H

#include "bridge/config.h"
#include "bridge/engine.h"
#include "bridge/fd_pass.h"
#include "bridge/http_server.h"
#include "bridge/lifecycle.h"
#include "bridge/token.h"
#include "proto/system.h"

struct gateway;
struct trace_log;

/* All pointers are kept until gateway_destroy. */
struct gateway_config {
    uv_loop_t *loop;
    const struct logger *log;
    struct metrics *metrics;
    struct engine *engine; /* open, ENGINE_GATEWAY; the gateway subscribes */
    const struct config_gateway *settings;
    const struct config_limits *limits;
    const struct config_web *web;
    struct token_keys *keys;     /* told what of tokens the system needs */
    struct system *system;       /* shares; NULL: what holds without a file */
    struct lifecycle *lifecycle; /* told ready as the engine's on_ready says */
    const char *id;              /* "g1" */
    const char *version;
    int listen_fd;        /* takes; listening */
    struct fd_pass *pass; /* takes; what is for other processes goes by it; NULL: nothing
                             does */
    bool shares_listener; /* the publisher's requests come here too: it needs `pass` */
    const struct http_route
        *pages; /* more to serve on the listener: the demo's; may be NULL */
    size_t page_count;
    struct trace_log *traces; /* where hop times are kept; NULL: nowhere */
};

/*
 * Gives a gateway (gateway_destroy) that accepts from now on, or NULL and `*reason`, a
 * sentence for the operator. `listen_fd` and `pass` are taken either way.
 */
struct gateway *gateway_create(const struct gateway_config *config, const char **reason);

/* Shares `system`: what it says holds from now on, and what `settings`, `limits` and
 * `web` say by now. Nobody is disconnected, save soon who has a token that is over and
 * had no end in what held before. False: out of memory, what held before holds. */
bool gateway_reload(struct gateway *gateway, struct system *system);

/* Who answers at the address of a gateway that stops. */
enum gateway_door {
    DOOR_IS_OURS,     /* nobody else: who is new is refused, the others are served */
    DOOR_IS_ANOTHERS, /* a process that has the same listener, or soon will */
    DOOR_CLOSES,      /* others, with listeners of their own */
};

struct gateway_end {
    uint64_t window_ms; /* 0: everybody is closed at once, and the door with them */
    enum gateway_door door;
};

/*
 * Once: nobody new is let in, every connection is told and closed, evenly over the
 * window; `on_done` runs once, when none is left and the directory knows all of it. The
 * caller bounds the wait.
 */
void gateway_drain(struct gateway *gateway, const struct gateway_end *how,
                   void (*on_done)(void *ctx), void *ctx);
/* While it drains: nobody will have the listener. */
void gateway_answer_alone(struct gateway *gateway);

/* Before engine_close. Connections that are left are cut. */
void gateway_destroy(struct gateway *gateway);

#endif

/*
 * The end of a gateway: who comes is another's, or refused, and who is there is sent
 * away, evenly over a window, so that no crowd comes to the others at once. Its doors
 * stay open until the last has gone: requests of polling clients and health questions are
 * answered. Then what the directory must know is waited for. Loop thread.
 */
#ifndef CLIENT_GW_DRAIN_H
#define CLIENT_GW_DRAIN_H

#include "bridge/front.h"
#include "client-gw/gateway.h"
#include "client-gw/services.h"

/* Plain memory of its owner, until the loop has turned once more after drain_stop. */
struct drain {
    uv_timer_t timer;
    struct client_services *services;
    struct front *front;
    struct http_server *http;
    struct gateway_end how;
    uint64_t began_ms;
    size_t total, told; /* clients */
    bool is_closed;     /* the doors are */
    void (*on_done)(void *ctx);
    void *ctx;
};

/* Nothing runs yet. */
void drain_init(struct drain *drain, struct client_services *services);

/* Keeps all. `on_done` runs once, when nobody is left; the caller bounds the wait. */
void drain_begin(struct drain *drain, struct front *front, struct http_server *http,
                 const struct gateway_end *how, void (*on_done)(void *ctx), void *ctx);
/* After drain_begin: the door is ours again, who comes by it is refused. */
void drain_answer_alone(struct drain *drain);
/* on_done will not run any more. */
void drain_stop(struct drain *drain);

#endif

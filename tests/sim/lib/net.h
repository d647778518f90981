/*
 * The network between clients and one server: HTTP requests, each on its own connection
 * and in any order, and sockets that keep their order. It counts: a request is answered
 * once, cut, or left by its client, and none is forgotten.
 */
#ifndef TESTS_SIM_LIB_NET_H
#define TESTS_SIM_LIB_NET_H

#include "sim/lib/world.h"

enum {
    NET_REQUESTS = 4096,
    NET_SOCKETS = 256,
    NET_NONE = 0 /* ids begin at 1 */
};

enum net_kind {
    NET_GET,
    NET_POST,
    NET_POST_OCTETS,
    NET_POST_TOO_LARGE,
    NET_POST_STALLED /* its body never ends */
};

enum net_state {
    NET_TRAVELLING,
    NET_OPEN, /* at the server, unanswered */
    NET_ANSWERED,
    NET_LEFT /* by its client or by a fault */
};

/* Of a client. `status` 0: the connection broke. All may call back into the net. */
struct net_user {
    void (*on_answer)(void *ctx, unsigned id, unsigned status, struct slice body);
    void (*on_connected)(void *ctx, unsigned id);
    void (*on_heard)(void *ctx, unsigned id, struct slice text, bool is_binary);
    void (*on_closed)(void *ctx, unsigned id);
    void *ctx;
};

/* Of the server. */
struct net_server {
    void (*on_request)(void *ctx, unsigned id);
    void (*on_body)(void *ctx, unsigned id, struct slice body);
    void (*on_left)(void *ctx, unsigned id);
    void (*on_lost)(void *ctx, unsigned id); /* an answer did not arrive */
    void (*on_socket)(void *ctx, unsigned id);
    void (*on_heard)(void *ctx, unsigned id, struct slice text, bool is_binary);
    void (*on_gone)(void *ctx, unsigned id);
    void *ctx;
};

struct net_request {
    enum net_kind kind;
    enum net_state state;
    uint64_t arrives_ms;
    const struct net_user *user;
    bool is_awaited;  /* its client still waits for an answer */
    bool has_packets; /* the server's note: the answer carried some */
};

struct net_socket {
    uint64_t to_server_ms, to_client_ms; /* when the last message arrives */
    const struct net_user *user;
    bool is_open_here, is_open_there; /* at the server, at the client */
};

struct net {
    struct world *world;
    const struct net_server *server;
    unsigned delay_ms;     /* at most, one way */
    unsigned loss_percent; /* of answers */
    unsigned requests, sockets;
    struct net_request request[NET_REQUESTS];
    struct net_socket socket[NET_SOCKETS];
};

void net_init(struct net *net, struct world *world, const struct net_server *server);

/* The client's side. Gives the id; NET_NONE when there were too many. */
unsigned net_ask(struct net *net, const struct net_user *user, enum net_kind kind,
                 struct slice body);
void net_leave(struct net *net, unsigned id);
unsigned net_connect(struct net *net, const struct net_user *user);
/* One that both sides have already. */
unsigned net_connected(struct net *net, const struct net_user *user);
void net_say(struct net *net, unsigned id, struct slice text, bool is_binary);
void net_hang_up(struct net *net, unsigned id);
/* A fault: both sides see it. */
void net_break_request(struct net *net, unsigned id);
void net_break_socket(struct net *net, unsigned id);

/* The server's side. */
void net_answer(struct net *net, unsigned id, unsigned status, struct slice body);
void net_cut(struct net *net, unsigned id);
void net_tell(struct net *net, unsigned id, struct slice text, bool is_binary);
void net_close(struct net *net, unsigned id);

/* What is open at the server: nothing, when all is over. */
unsigned net_open_requests(const struct net *net);
unsigned net_open_sockets(const struct net *net);

#endif

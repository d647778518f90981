/*
 * What the files of the http_server share with each other, and with its test. Loop thread
 * only.
 *
 *   http_server.c             the daemons and the pump
 *   http_server_connection.c  one socket: deadlines by phase, and whether its peer left
 *   http_server_exchange.c    one request: gate, route, body, handler
 *   http_server_reply.c       its answer
 *   http_server_route.c       the table of routes
 *
 * libmicrohttpd takes a suspended socket out of its epoll set and then cannot see the
 * peer leave: an epoll set of our own (`hup_fd`) watches all sockets for that, and that
 * alone.
 *
 * To suspend and resume costs two calls of the kernel and another turn of the loop, and
 * most publishes are answered at once. So an exchange is awaited first: libmicrohttpd
 * asks its handler again whenever it runs, which we let it do when an answer is there.
 * What is still awaited at the next tick is suspended.
 */
#ifndef BRIDGE_HTTP_SERVER_PARTS_H
#define BRIDGE_HTTP_SERVER_PARTS_H

#include "bridge/http_refuser.h"
#include "bridge/http_server.h"
#include "bridge/list.h"
#include "bridge/request_id.h"

struct MHD_Daemon;
struct MHD_Connection;
struct MHD_Response;

enum {
    /* Each resume walks all suspended connections of its daemon: several daemons share
     * them out. With 6,000 polls held, the answer to one costs 40 us; with four daemons
     * it were 100. */
    HTTP_DAEMONS = 16,
    /* Of one daemon, each asked for at each run: more are suspended at once. */
    HTTP_AWAITED = 32,
    /* Beyond the ceiling: newcomers, while those that were cut for them still wait for
     * their daemon to close them. */
    HTTP_NEWCOMERS = 64,
};

/* What a connection is waiting for. Each phase has one length, so that its connections
 * stand in a list by their deadline. */
enum http_phase {
    HTTP_PHASE_IDLE, /* the next head, after an answer */
    HTTP_PHASE_HEAD,
    HTTP_PHASE_BODY,
    HTTP_PHASE_WRITE,
    HTTP_PHASE_LEFT, /* instead of the first three once the peer sends no more: what it
                        has sent is here, and is answered, or will never be whole */
    HTTP_PHASES,     /* held by a handler, or cut off: no deadline */
};

struct http_deadlines {
    unsigned ms[HTTP_PHASES];
};

struct http_connection {
    struct list_node node; /* first: see list.h; in server->phases[phase] */
    struct http_server *server;
    struct http_exchange *exchange; /* NULL between two requests */
    unsigned daemon;
    int fd;
    bool peer_left;
    bool is_long; /* its last request took long: the next one most likely will */
    enum http_phase phase;
    uint64_t deadline;
    uint64_t received; /* bytes, as last looked at while idle; 0: not yet */
    struct peer_guest *guest;
    struct ip_address peer;
    char peer_ip[INET6_ADDRSTRLEN];
};

enum exchange_state {
    EXCHANGE_HEAD,     /* the request line was read */
    EXCHANGE_BODY,     /* the head was read and judged */
    EXCHANGE_EARLY,    /* with who may answer it, its body unread */
    EXCHANGE_RUNNING,  /* in its handler */
    EXCHANGE_AWAITED,  /* unanswered: libmicrohttpd asks again at its next run */
    EXCHANGE_HELD,     /* suspended, until an answer or the end of its peer */
    EXCHANGE_ANSWERED, /* the answer waits for the next run */
    EXCHANGE_WRITING,  /* the answer is libmicrohttpd's */
    EXCHANGE_GONE,     /* nothing will be answered: the connection closes */
};

struct http_exchange {
    struct list_node node; /* first: see list.h; in server->unanswered or ->spares */
    struct http_server *server;
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    enum exchange_state state;
    enum status verdict; /* answered instead of the handler once the body is there */
    char detail[LIMIT_HTTP_DETAIL_BYTES]; /* of the verdict */
    const struct http_route *route;
    const struct web_policy *policy; /* that the caller was judged by */
    struct web_caller caller;        /* once the head has passed the gate */
    char client_ip[IP_TEXT_BYTES];   /* empty: the peer is the client */
    bool is_preflight;
    bool is_own; /* the protocol's: `route` is NULL */
    bool is_long;
    size_t max_body;
    struct http_request request;
    const char *target_in_place;   /* libmicrohttpd's copy, decoded: its address alone */
    struct MHD_Response *response; /* ANSWERED */
    int response_status;
    void (*on_gone)(void *ctx);
    void *on_gone_ctx;
    void (*on_written)(void *ctx, bool is_whole);
    void *on_written_ctx;
    char request_id[REQUEST_ID_SIZE];

    /* Kept for the next request, memory and all; from here on nothing is cleared. */
    struct buf target; /* raw */
    struct buf body;
    struct http_head *head; /* with as many fields as it has */
    size_t head_room;       /* fields */
};

struct http_daemon {
    struct http_server *server;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    bool is_dirty;
    unsigned awaited; /* exchanges */
};

struct http_server {
    struct http_server_config config;
    struct http_head reading; /* until its exchange keeps it */
    struct http_deadlines deadlines;
    struct http_refuser *refuser;
    struct http_daemon daemons[HTTP_DAEMONS];
    unsigned next_daemon;
    struct peer_guest *arriving; /* of the connection that is being adopted */
    int hup_fd;
    uv_poll_t hup_poll;
    uv_prepare_t prepare;
    uv_timer_t again;    /* wakes the loop when a daemon has more to do */
    uv_timer_t patience; /* ends: what is awaited is suspended by the next run */
    bool is_patient;
    uv_timer_t sweep;
    struct list_node phases[HTTP_PHASES];
    uint64_t looked_ms;          /* at idle connections */
    struct list_node unanswered; /* exchanges, awaited or held */
    struct list_node spares;     /* exchanges that are over, for the next ones */
    unsigned spare_count;
    struct random_stock random;
    unsigned connections;
    unsigned long_ones; /* of them: connections that are in, or after, a long request */
    bool is_draining;
    bool is_leaving; /* from its winding down on */
    unsigned open_handles;
};

/* --- http_server.c */

/* Its daemon runs before the loop waits again. */
void http_server_touch(struct http_server *server, unsigned daemon);

/* --- http_server_connection.c */

/* Takes the guest that is arriving. */
struct http_connection *http_connection_create(struct http_server *server,
                                               unsigned daemon, int fd,
                                               const struct sockaddr *peer,
                                               socklen_t peer_len);
void http_connection_destroy(struct http_connection *connection);
/* Its request takes long; the next one has begun, of which nobody knows. */
void http_connection_lengthen(struct http_connection *connection);
void http_connection_forget_long(struct http_connection *connection);
/* Nothing more is written or read: libmicrohttpd sees the end of the stream. */
void http_connection_cut(struct http_connection *connection);
/* HTTP_PHASES: no deadline. */
void http_connection_enter(struct http_connection *connection, enum http_phase phase);
/* Closes the connections that wait for a next request. */
void http_connections_close_idle(struct http_server *server);
/* Those whose request is half read get 503 E_DRAINING, and are closed. */
void http_connections_dismiss_half(struct http_server *server);
/* Closes the one that has waited longest for a next request, or else for the rest of one
 * and for too long. False: there is none. */
bool http_connections_make_room(struct http_server *server);
void http_connections_on_sweep(uv_timer_t *timer);

void http_connections_on_hup(uv_poll_t *poll, int error, int events);

/* --- http_server_exchange.c */

/* A request line was read; `target` NULL: it had none. Gives an exchange, or NULL. */
struct http_exchange *http_exchange_create(struct http_connection *connection,
                                           struct MHD_Connection *mhd,
                                           const char *target);
/* The request is over, whatever became of it; `is_whole`: its answer was written. */
void http_exchange_destroy(struct http_exchange *exchange, bool is_whole);
void http_exchange_free_spares(struct http_server *server);
bool http_exchange_is_unanswered(const struct http_exchange *exchange);
/* Unanswered no more: libmicrohttpd is to ask for its next step. */
void http_exchange_wake(struct http_exchange *exchange);
/* A step of the parser: see MHD_AccessHandlerCallback. False: close the connection. */
bool http_exchange_step(struct http_exchange *exchange, const char *method,
                        const char *version, const char *body, size_t *body_len);
/* Unanswered, and its peer has left: its holder is told, the connection closes. */
void http_exchange_abandon(struct http_exchange *exchange);
/* Unanswered, and the server drains: its holder is told, the peer gets 503. */
void http_exchange_dismiss(struct http_exchange *exchange);

/* --- http_server_reply.c */

/* Refuses past libmicrohttpd, which then has to close the connection. */
void http_exchange_refuse(struct http_exchange *exchange, enum status status,
                          const char *detail);
/* Says what the page may do, and that it may. Its exchange is in its handler. */
void http_exchange_answer_preflight(struct http_exchange *exchange);
/* The client's address as far as it is known. */
const char *http_exchange_ip(const struct http_exchange *exchange);
/* Hands the stored answer to libmicrohttpd. False: it does not take it. */
bool http_exchange_queue(struct http_exchange *exchange);

/* --- http_server_route.c */

/* Lends the row, or NULL with ST_NOT_FOUND or ST_METHOD in `*verdict`. */
const struct http_route *http_route_find(const struct http_server_config *config,
                                         enum http_method method, struct slice path,
                                         enum status *verdict);
/* Which pages may send this request: what its route says, or the server. Lent. */
const struct web_policy *http_route_policy(const struct http_server_config *config,
                                           const struct http_head *head);
/* "GET, HEAD, POST": what the table knows for `path`. */
void http_route_allow(const struct http_server_config *config, struct slice path,
                      char out[64]);

#endif

/*
 * HTTP/1.1 for every listener of both processes: libmicrohttpd behind the front, on the
 * loop. Loop thread only. Bodies are read whole, under the route's ceiling, within a
 * total deadline; later requests of a connection pass the same gate as the first.
 *
 * A handler gets an exchange and answers it now or later, exactly once, by http_reply or
 * http_problem; with either the exchange is gone. An exchange that is not answered at
 * once is held: when its peer leaves first, on_gone runs and the exchange is gone too.
 */
#ifndef BRIDGE_HTTP_SERVER_H
#define BRIDGE_HTTP_SERVER_H

#include "bridge/logger.h"
#include "bridge/metrics.h"
#include "bridge/peer_limits.h"
#include "bridge/web_policy.h"
#include "proto/http_gate.h"
#include "proto/problem.h"

#include <netinet/in.h>
#include <uv.h>

struct http_server;
struct http_exchange;

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {
    const struct http_head *head; /* raw target, path and query; all fields */
    struct slice body;
    const char *peer_ip;           /* the client's, behind listed proxies too */
    const struct ip_address *peer; /* the same */
    const char
        *request_id; /* X-Request-Id of the request when well-formed, else made here */
    /* To an http_protocol: what speaks against it. ST_TOO_LARGE: of the body nothing is
     * there; any other but ST_OK: its page or its proxy is not believed. */
    enum status verdict;
};

/* Lends the request until the exchange is gone. */
typedef void http_handle_fn(struct http_exchange *exchange,
                            const struct http_request *request, void *ctx);

/*
 * Whether a request may go on, from its head alone: asked before a body over
 * LIMIT_HTTP_UNADMITTED_BYTES is read, which `request` has not yet. False: it has
 * answered, and the connection closes.
 */
typedef bool http_admit_fn(struct http_exchange *exchange,
                           const struct http_request *request, void *ctx);

struct http_route {
    enum http_method method; /* HTTP_GET answers HEAD too */
    const char *path;        /* exact, or a prefix when it ends in '*' */
    size_t max_body;         /* 0: a body is refused */
    http_handle_fn *handle;
    void *ctx;            /* handed to the handler; NULL: the server's */
    http_admit_fn *admit; /* NULL: everybody */
};

/*
 * Routes that may change while the server runs. Lends a row that stays as long as the
 * server does, or gives NULL with ST_NOT_FOUND or ST_METHOD (of this path other methods
 * are known) in `*verdict`. `*policy` is the server's, unless it is set to another one.
 */
typedef const struct http_route *http_find_fn(void *ctx, enum http_method method,
                                              struct slice path,
                                              const struct web_policy **policy,
                                              enum status *verdict);

/*
 * A protocol on top of HTTP that has its own words for everything. On its paths every
 * method comes to its handler, and of what the server would refuse it only says so.
 * Preflights of pages that may ask are answered by the server.
 */
struct http_protocol {
    /* Whether the path is one of its own, and how large a body may be there. */
    bool (*owns)(void *ctx, const struct http_head *head, size_t *max_body);
    /*
     * Before a body is read, which `request` has not yet. It may give the exchange an
     * on_gone (the body never came), answer or cut it: then the body is not read, and the
     * connection closes.
     */
    http_handle_fn *on_body;
    /* With ST_TOO_LARGE it answers at once. */
    http_handle_fn *handle;
    void *ctx;
};

struct http_reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct slice body;        /* borrowed: copied before http_reply returns */
    const struct http_header *headers;
    size_t header_count;
    bool closes;         /* Connection: close */
    bool is_peers_fault; /* no error of ours, whatever its status */
};

struct http_server_config {
    uv_loop_t *loop;
    const struct logger *log;
    struct metrics *metrics;
    unsigned max_connections; /* without those whose request takes long, or did before
                                 they became idle */
    unsigned max_long;        /* of these */
    unsigned max_fd;          /* no refused socket lingers from here on; 0: all may */
    const struct web_policy
        *policy;        /* keeps; NULL: nobody is asked where it comes from */
    bool always_closes; /* every answer says Connection: close (several gateways on one
                           port) */
    const struct http_route *routes; /* keeps: for the server's life */
    size_t route_count;
    http_find_fn *find; /* asked before the table, with ctx; NULL: there are no more */
    const struct http_protocol *protocol; /* keeps; its paths come first; NULL: none */
    void *ctx; /* handed to the handlers whose route names none */
};

/* Gives a server without listener (http_server_destroy), or NULL. */
struct http_server *http_server_create(const struct http_server_config *config);

/* Takes the socket, whose request is still unread, and `guest`, which leaves with it. */
void http_server_adopt(struct http_server *server, int fd, const struct sockaddr *peer,
                       socklen_t peer_len, struct peer_guest *guest);

/* Serves on, and ends each connection: idle ones now, the others with their next answer.
 */
void http_server_wind_down(struct http_server *server);
/* Whether a request is half read. */
bool http_server_is_reading(const struct http_server *server);
/* Answers what is held or half read with 503 E_DRAINING and lets no further request in.
 * Then destroy. */
void http_server_drain(struct http_server *server);
void http_server_destroy(struct http_server *server);

/* Adds X-Request-Id. Logs at debug; 5xx at error. */
void http_reply(struct http_exchange *exchange, const struct http_reply *reply);

/*
 * application/problem+json; `problem->instance` is filled here. Adds WWW-Authenticate,
 * Allow or Retry-After where the status asks for it, and logs one line with code and
 * request id.
 */
void http_problem(struct http_exchange *exchange, struct problem *problem);

/* The same in other words: `body` is application/json. */
void http_problem_as(struct http_exchange *exchange, struct problem *problem,
                     struct slice body);

/*
 * At most one; called instead of an answer, when the peer has left or the server drains.
 * Whoever holds an exchange needs it: after it the exchange may not be answered.
 */
void http_exchange_on_gone(struct http_exchange *exchange, void (*on_gone)(void *ctx),
                           void *ctx);

/* In its handler: the answer will take long, so that nobody is to ask for it meanwhile.
 */
void http_exchange_takes_long(struct http_exchange *exchange);

/* Lends what it asked for, as long as it is unanswered. */
const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/*
 * Once, after the answer, when it has been handed to the kernel or never will be whole;
 * until then it may be taken back with NULL. Said before the exchange is answered.
 */
void http_exchange_on_written(struct http_exchange *exchange,
                              void (*on_written)(void *ctx, bool is_whole), void *ctx);

/* Instead of an answer: its connection is closed. on_gone is not called. */
void http_exchange_cut(struct http_exchange *exchange);

#endif

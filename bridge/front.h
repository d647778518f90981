/*
 * The front: our own accept for every listener. It peeks at the first head of a
 * connection, gates it (proto/http_gate), and hands the socket on with its bytes unread:
 * a WebSocket upgrade to the gateway, everything else to the http_server, what another
 * process must answer to that one (fd_pass), which meets it in the same way. What is
 * refused is answered here. Loop thread only.
 */
#ifndef BRIDGE_FRONT_H
#define BRIDGE_FRONT_H

#include "bridge/fd_pass.h"
#include "bridge/http_server.h"

struct front;

/* A connection that asks for an upgrade. Lent for the call. */
struct front_visit {
    const struct http_head *head;
    const struct sockaddr *peer;
    socklen_t peer_len;
    const char *peer_ip; /* the client's, behind listed proxies too */
    const char *request_id;
    struct peer_guest *guest;
};

/*
 * ST_OK takes `fd` (its head still unread, no handle of ours on it) and the guest. Any
 * other status refuses: the front writes `refusal` (status filled in; detail and hint by
 * the callee) and closes.
 */
typedef enum status front_upgrade_fn(void *ctx, int fd, const struct front_visit *visit,
                                     struct problem *refusal);

/* Whether a request, judged by its gated head, is another process' to answer: `owner`
 * says whose. */
typedef bool front_owner_fn(void *ctx, const struct http_head *head,
                            struct fd_pass_owner *owner);

struct front_config {
    uv_loop_t *loop;
    const struct logger *log;
    struct metrics *metrics;
    int listen_fd; /* takes; listening, any flags; -1: sockets come by `pass` alone */
    unsigned max_pending; /* heads being waited for; beyond it the oldest gets 503 */
    unsigned max_fd;      /* no descriptor from here on is a client's; 0: all may be */
    unsigned head_deadline_ms;
    const struct web_policy *policy; /* keeps; NULL: as in the http_server */
    struct peer_limits *limits;      /* keeps; NULL: none */
    struct http_server *http;        /* keeps */
    front_upgrade_fn *on_upgrade;    /* NULL: upgrades are 404 */
    struct fd_pass *pass;            /* takes over; NULL: no socket is handed on */
    front_owner_fn *find_owner;      /* NULL: all requests are ours */
    void *ctx;
};

/* Gives a front (front_destroy) that accepts from now on, or NULL. */
struct front *front_create(const struct front_config *config);

/* Leaves who connects to another process that has the same listener open, until
 * front_wake. Requests of those who are here, and what is handed on, are met all the
 * same. */
void front_rest(struct front *front);
void front_wake(struct front *front);
/* As front_rest, for ever: meets who is connected already and closes the listener, so
 * that the kernel gives whoever comes to others of the address. */
void front_leave(struct front *front);

/* Idempotent: no accept after it; pending heads get 503 E_DRAINING. What other processes
 * have handed on already is still met. */
void front_stop(struct front *front);
/* Closes the handles; memory goes when the loop has run them out. */
void front_destroy(struct front *front);

/* "127.0.0.1:7410" or "[::1]:0"; no names of hosts. */
bool front_address_is_valid(const char *address);
/* A listening TCP socket for "127.0.0.1:7410", "[::1]:0", "0.0.0.0:80", or -1 and
 * *reason. */
int front_listen(const char *address, bool shared, const char **reason);
/* "127.0.0.1:7410" of a bound socket. */
void front_address(int fd, char out[64]);

#endif

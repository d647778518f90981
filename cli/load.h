/*
 * A load: a crowd of clients of a gateway, and events published into their rooms; who got
 * what, how late, and what it cost the server. The same client measures the product and
 * the bare server beside it: only the dialect differs. One thread; every call returns
 * when its phase is over.
 *
 *   load_create → load_connect → load_publish, as often as wanted → load_destroy
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "cli/load_client.h"
#include "cli/load_publisher.h"
#include "cli/load_usage.h"

enum {
    LOAD_CLIENTS_MAX = 200000,
    LOAD_ROOMS_MAX = 100000,
    LOAD_WINDOW = 128 /* clients on their way in at a time, when nothing is said */
};

struct load_progress {
    const char *phase; /* "connecting", "publishing" */
    uint64_t elapsed_us;
    size_t connected, clients;
    uint64_t sent, received;
    uint64_t p95_us;
};

/* The crowd. Everything that it points to is kept until load_destroy. */
struct load_plan {
    const char *url; /* of the gateway: "http://127.0.0.1:7410" */
    const struct load_dialect *dialect;
    size_t clients;
    size_t rooms;            /* load:000000 and so on; 0: one */
    size_t rooms_per_client; /* client i joins that many, from room i times that on; 0:
                                all */
    uint64_t ramp_ms;        /* 0: as fast as `window` lets them in */
    size_t window;           /* 0: LOAD_WINDOW */
    /* The token of a client, lent until load_destroy; NULL for none, or no function. */
    const char *(*token)(void *ctx, size_t client);
    void *ctx;       /* of `token` and `on_progress` */
    const int *pids; /* of the server: for its CPU time and memory */
    size_t pid_count;
    int stop_fd; /* readable: end the phase with what there is; -1: none */
    /* Some times a second, or NULL. */
    void (*on_progress)(void *ctx, const struct load_progress *progress);
};

struct load_connecting {
    size_t connected, refused;
    uint64_t elapsed_us;             /* from the first to the last */
    struct load_histogram connect;   /* from the socket to the last room joined */
    struct load_usage before, after; /* of the server */
    uint64_t own_cpu_us;
    char failure[LOAD_REASON_BYTES]; /* why the last one was refused; empty: none was */
};

struct load_report {
    struct load_connecting in; /* the last load_connect */
    size_t closed;             /* by the server, since */
    char closed_because[LOAD_REASON_BYTES];

    /* the last load_publish, in events */
    uint64_t sent, accepted, failed;
    char failure[LOAD_FAILURE_BYTES]; /* the publisher's last refusal; empty: none */
    uint64_t publish_us;              /* from the start to the last answer */
    uint64_t deliver_us;              /* from the start to the last delivery */
    uint64_t expected, received, lost, doubled, disordered, stray, received_bytes;
    struct load_histogram delivery; /* from when an event was due to its arrival */
    struct load_histogram answer;
    struct load_usage before, after; /* of the server */
    uint64_t own_cpu_us;
    bool is_cut; /* stop_fd ended it */
};

struct load;

/* Gives a load without connections, or NULL and a sentence. */
struct load *load_create(const struct load_plan *plan, char error[DIAL_ERROR_BYTES]);
void load_destroy(struct load *load);

/* Brings everybody in who is not; over when the last one listens or was refused. */
void load_connect(struct load *load);

/*
 * Publishes, and waits for the deliveries. False: it could not begin, and `error` is a
 * sentence; refusals later on are in the report.
 */
bool load_publish(struct load *load, const struct load_publish_plan *plan,
                  char error[DIAL_ERROR_BYTES]);

/* Lent. What was counted so far. */
const struct load_report *load_report(const struct load *load);

#endif

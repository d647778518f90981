/*
 * Serving on one machine: opens all listeners, makes the bus' folder, runs the publisher
 * and the gateways under a supervisor until a signal. `serve` and `demo` are plans for
 * it.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "cli/invocation.h"
#include "proto/buf.h"

enum {
    SERVE_URL_BYTES = 80
};

/* What runs, once every child is ready. Lent for the call. */
struct serve_ready {
    char gateway[SERVE_URL_BYTES]; /* "http://127.0.0.1:7410" */
    char publisher[SERVE_URL_BYTES];
    char ops[SERVE_URL_BYTES];
    int pid_publisher;
    int pid_gateways[64];
    size_t gateway_count;
};

struct serve_plan {
    struct invocation *call;     /* loaded; serve adds the addresses and the bus to it */
    struct flag_number port;     /* --port: gateway N, publisher N+1, ops N+2; 0: any */
    struct flag_number gateways; /* --gateways */
    const struct flag_list *gateway_args; /* more flags for the gateways, or NULL */
    bool has_own_bus;                     /* whatever the configuration says */

    /* Prints what people or scripts wait for. */
    void (*on_ready)(void *ctx, const struct serve_ready *ready);
    void *ctx;
};

/* Gives the exit code. */
int serve_run(const struct serve_plan *plan);

/*
 * The ready line, with its line end. `more` stands after the three addresses:
 * `,"page":"http://…"`.
 */
void serve_ready_json(struct buf *out, const struct serve_ready *ready, const char *more);

#endif

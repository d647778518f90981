/* The listeners of serve: opened once, kept over the restarts of the children. */
#ifndef CLI_SERVE_LISTENERS_H
#define CLI_SERVE_LISTENERS_H

#include "cli/invocation.h"

enum {
    SERVE_MAX_GATEWAYS = 64,
    SERVE_ADDRESS_BYTES = 64
};

struct serve_listeners {
    int gateways[SERVE_MAX_GATEWAYS];
    size_t gateway_count;
    int publisher; /* -1: the gateways' are the publisher's too */
    int ops;
    char gateway_address[SERVE_ADDRESS_BYTES]; /* as bound */
    char publisher_address[SERVE_ADDRESS_BYTES];
    char ops_address[SERVE_ADDRESS_BYTES];
};

/* Opens what `config` names, on `port` and the two after it when it is set. False: the
 * error was printed. Either way serve_listeners_close. */
bool serve_listeners_open(struct serve_listeners *listeners, const struct config *config,
                          const struct flag_number *port);
/* Those of the gateways, which have them: one that ends takes its own with it. */
void serve_listeners_close_gateways(struct serve_listeners *listeners);
void serve_listeners_close(struct serve_listeners *listeners);

#endif

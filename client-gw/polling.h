/*
 * Long-polling on the gateway's port: the requests of Engine.IO's polling transport, with
 * its own order of checks and its own words for what is wrong. Loop thread.
 */
#ifndef CLIENT_GW_POLLING_H
#define CLIENT_GW_POLLING_H

#include "bridge/http_server.h"
#include "bridge/peer_limits.h"
#include "client-gw/polling_answer.h"
#include "client-gw/services.h"

/* All pointers are kept. */
struct polling_config {
    struct client_services *services;
    struct peer_limits *peers;
    const struct config_limits *limits; /* as they are at the moment */
};

/* Embedded, constant once filled in; polling_protocol's `ctx`. */
struct polling {
    struct polling_config config;
    struct http_protocol protocol; /* for the http_server */
};

void polling_init(struct polling *polling, const struct polling_config *config);

/* The checks of a request in the protocol's order. POLLING_FINE: go on, with the
 * connection it belongs to, or NULL for a new one. */
enum polling_error polling_judge(const struct client_services *services,
                                 const struct mount *mount, const struct http_head *head,
                                 bool is_believed, struct connection **connection);

#endif

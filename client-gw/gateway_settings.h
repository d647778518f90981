/*
 * What a gateway is told, as its parts want it; its ceilings and the descriptors that
 * they need. Loop thread.
 */
#ifndef CLIENT_GW_GATEWAY_SETTINGS_H
#define CLIENT_GW_GATEWAY_SETTINGS_H

#include "client-gw/connection.h"
#include "client-gw/gateway.h"
#include "client-gw/session.h"

enum {
    GATEWAY_PENDING_HEADS = 4096,
    GATEWAY_HTTP_CONNECTIONS = 4096,
};

struct connection_config gateway_connection_limits(const struct gateway_config *config);
struct session_limits gateway_session_limits(const struct config_limits *limits);

/* As many descriptors as the ceilings add up to; where the system gives fewer, clients
 * are refused before the bus runs dry. Gives the first that is no client's. */
unsigned gateway_take_descriptors(const struct gateway_config *config);

#endif

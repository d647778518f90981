/* What a gateway is told, as its parts want it: see the header. */
#include "client-gw/gateway_settings.h"

#include "bridge/clock.h"
#include "bridge/descriptors.h"

enum {
    SESSIONS_PER_CONNECTION = 4, /* on the average: namespaces */
};

struct connection_config gateway_connection_limits(const struct gateway_config *config)
{
    return (struct connection_config){
        .log = config->log,
        .metrics = config->metrics,
        .outbox_limits = {config->limits->outbox_bytes, config->limits->outbox_frames},
        .attachments = (unsigned)config->limits->attachments,
        .attachments_timeout_ms = config->limits->attachments_timeout_ms,
        .acks = config->limits->acks,
        .now_ms = clock_ms(),
    };
}

struct session_limits gateway_session_limits(const struct config_limits *limits)
{
    return (struct session_limits){
        .held = {limits->outbox_bytes, limits->outbox_frames},
        .sessions = limits->connections * SESSIONS_PER_CONNECTION,
        .rooms_per_session = limits->rooms_per_socket,
        .sessions_per_user = limits->connections_per_user,
    };
}

unsigned gateway_take_descriptors(const struct gateway_config *config)
{
    uint64_t clients =
        config->limits->connections + GATEWAY_HTTP_CONNECTIONS + GATEWAY_PENDING_HEADS;
    /* The WebSocket library walks a table of that length at each close: a limit of a
     * million, which is not rare, would make a close cost 0.7 ms. */
    unsigned limit = descriptors_set((unsigned)clients + DESCRIPTORS_RESERVED);
    unsigned usable = descriptors_for_clients(limit);

    const struct log_field fields[] = {
        LOG_NUM("descriptors", limit),
        LOG_NUM("for_clients", usable),
    };
    if (usable < config->limits->connections)
        log_line(config->log,
                 config->limits->is_connections_set ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
                 "fewer descriptors than limits.connections: raise LimitNOFILE", fields,
                 sizeof fields / sizeof *fields);
    return usable;
}

/* The inside of a set of connections; only connection.c, connection_set.c and what has a
 * timer of its own (attachments.c) include this. */
#ifndef CLIENT_GW_CONNECTION_SET_H
#define CLIENT_GW_CONNECTION_SET_H

#include "bridge/log_quota.h"
#include "client-gw/connection.h"

struct connection_set {
    struct connection_config config;
    struct timer_wheel wheel;
    uint64_t now_ms;
    struct connection *first;
    struct connection *dirty;   /* by next_dirty */
    struct connection *leaving; /* the next one to be sent away; NULL: nobody */
    struct connection *ending;  /* by next_ending: closed during the walk */
    bool is_walking;
    size_t count;
    size_t crowd; /* the most that there were since memory was given back */
    uint64_t last_ack;
    struct log_quota lines; /* about clients */
};

/* Writes what the outbox holds and tells the sessions whether they may write directly. */
void connection_flush(struct connection *connection);
void connection_end_sessions(struct connection *connection, enum close_reason reason);

#endif

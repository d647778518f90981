/*
 * Delivery: one event from the engine to every member of its rooms. Encoded once per
 * dialect, sent straight to sockets that are free, queued by reference elsewhere. Per
 * delivery nothing is allocated, copied or logged. Loop thread.
 */
#ifndef CLIENT_GW_DELIVER_H
#define CLIENT_GW_DELIVER_H

#include "client-gw/dialect.h"
#include "client-gw/trace.h"

struct deliver;
struct probe;

struct deliver_config {
    struct room_set *rooms;
    struct session_set *sessions;
    struct connection_set *connections;
    const struct logger *log;
    struct metrics *metrics;
    struct trace_log *traces; /* NULL: hops are not kept */
    struct probe *probe;      /* told of probes that come */
};

struct deliver *deliver_create(const struct deliver_config *config);
void deliver_destroy(struct deliver *deliver);

/* Borrows `event`. What is not an envelope is logged and skipped: the publisher made it.
 */
void deliver_event(struct deliver *deliver, const struct engine_event *event);

/* The burst is over: writes what waits for it. */
void deliver_settle(struct deliver *deliver);

#endif

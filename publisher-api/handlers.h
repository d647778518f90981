/*
 * What the endpoints stand on, and their entry points: one handle_<name>.c each, one row
 * or more in routes.c. Loop thread only.
 */
#ifndef PUBLISHER_API_HANDLERS_H
#define PUBLISHER_API_HANDLERS_H

#include "bridge/engine.h"
#include "bridge/http_server.h"
#include "bridge/lifecycle.h"
#include "publisher-api/catalog.h"
#include "publisher-api/publish_call.h"

/* The context of every route. All borrowed from the publisher, for its life. */
struct handler_parts {
    const struct logger *log;
    struct metrics *metrics;
    struct engine *engine;
    const struct lifecycle *lifecycle;
    const char *version;
    uint64_t started_ms; /* monotonic */
    struct caller_trust trust;
    struct publish_calls *calls;
    struct publish_request request; /* scratch of handle_publish */
    struct catalog catalog;
    bool is_draining;
};

http_handle_fn handle_publish;
http_admit_fn admit_publish; /* before a large body is read */

http_handle_fn handle_live;
http_handle_fn handle_ready;
http_handle_fn handle_ready_verbose; /* ops: `?verbose` lists the checks */

http_handle_fn handle_stats;      /* asks for the scope admin */
http_handle_fn handle_stats_open; /* ops: asks for nothing */

http_handle_fn handle_metrics;

#endif

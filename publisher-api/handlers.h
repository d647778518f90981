/*
 * What the endpoints stand on, and their entry points: one handle_<name>.c each, one row
 * or more in routes.c. Loop thread only.
 */
#ifndef PUBLISHER_API_HANDLERS_H
#define PUBLISHER_API_HANDLERS_H

#include "bridge/engine.h"
#include "bridge/http_server.h"
#include "bridge/lifecycle.h"
#include "bridge/log_quota.h"
#include "publisher-api/catalog.h"
#include "publisher-api/publish_call.h"
#include "publisher-api/routes.h"

/* The context of every route. All borrowed from the publisher, for its life. */
struct handler_parts {
    const struct logger *log;
    struct metrics *metrics;
    struct engine *engine;
    const struct lifecycle *lifecycle;
    const char *version;
    uint64_t started_ms; /* monotonic */
    struct caller_trust trust;
    struct token_keys *token_keys; /* the same as in trust; NULL: none */
    struct publish_calls *calls;
    struct publish_request request; /* scratch of handle_publish */
    struct catalog catalog;
    struct configured_routes configured;
    struct buf mapped, identity; /* scratch of handle_route */
    struct log_quota lines;      /* that requests cause as often as they like */
    bool is_draining;
};

bool handler_parts_are_ready(const struct handler_parts *parts);
/* Whether there may be one more line about a request in this second. */
bool handler_parts_may_log(struct handler_parts *parts);

http_handle_fn handle_publish;
http_admit_fn admit_publish; /* before a large body is read */

http_handle_fn handle_route; /* whatever the configuration adds */
http_admit_fn admit_route;

http_handle_fn handle_live;
http_handle_fn handle_ready;
http_handle_fn handle_ready_verbose; /* ops: `?verbose` lists the checks */

http_handle_fn handle_stats;      /* asks for the scope admin */
http_handle_fn handle_stats_open; /* ops: asks for nothing */

http_handle_fn handle_metrics;

#endif

/* Which path is whose: see the header. */
#include "publisher-api/routes.h"

#include "proto/route_rules.h"
#include "publisher-api/handlers.h"

#include <string.h>

static const struct http_route publisher[] = {
    {HTTP_POST, "/v1/publish", 0, handle_publish, NULL, admit_publish},
    {HTTP_POST, "/broadcast",  0, handle_publish, NULL, admit_publish},
    {HTTP_GET,  "/v1/stats",   0, handle_stats,   NULL, NULL         },
    {HTTP_GET,  "/livez",      0, handle_live,    NULL, NULL         },
    {HTTP_GET,  "/healthz",    0, handle_live,    NULL, NULL         },
    {HTTP_GET,  "/readyz",     0, handle_ready,   NULL, NULL         },
};

static const struct http_route ops[] = {
    {HTTP_GET, "/livez",    0, handle_live,          NULL, NULL},
    {HTTP_GET, "/healthz",  0, handle_live,          NULL, NULL},
    {HTTP_GET, "/readyz",   0, handle_ready_verbose, NULL, NULL},
    {HTTP_GET, "/metrics",  0, handle_metrics,       NULL, NULL},
    {HTTP_GET, "/v1/stats", 0, handle_stats_open,    NULL, NULL},
};

size_t routes_publisher(struct http_route out[ROUTES_MAX], size_t max_body)
{
    size_t count = sizeof publisher / sizeof *publisher;

    memcpy(out, publisher, sizeof publisher);
    for (size_t i = 0; i < count; i++)
        if (out[i].method == HTTP_POST)
            out[i].max_body = max_body;
    return count;
}

void routes_configure(struct configured_routes *configured,
                      const struct web_policy *page_policy, size_t max_body)
{
    configured->page_policy = page_policy;
    configured->rows[0] = (struct http_route){.handle = handle_route};
    configured->rows[1] = (struct http_route){
        .max_body = max_body, .handle = handle_route, .admit = admit_route};
}

/* A page has tokens of its user, and no key. What anybody may do is no danger, unless it
 * publishes: then a page of any site could. */
static bool is_for_pages(const struct route_rule *rule)
{
    return rule->auth == ROUTE_AUTH_JWT ||
           (rule->auth == ROUTE_AUTH_NONE && rule->act != ROUTE_PUBLISH);
}

const struct http_route *routes_find(void *ctx, enum http_method method,
                                     struct slice path, const struct web_policy **policy,
                                     enum status *verdict)
{
    const struct handler_parts *parts = ctx;
    const struct system *system = parts->catalog.system;
    const struct route_rule *rule = NULL;

    *verdict = ST_NOT_FOUND;
    if (system)
        rule = route_rules_find(system->routes, method, path, verdict);
    if (!rule)
        return NULL;
    if (is_for_pages(rule))
        *policy = parts->configured.page_policy;
    return &parts->configured.rows[rule->path.method != HTTP_GET];
}

size_t routes_ops(struct http_route out[ROUTES_MAX])
{
    memcpy(out, ops, sizeof ops);
    return sizeof ops / sizeof *ops;
}

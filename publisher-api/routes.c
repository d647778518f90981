/* Which path is whose: see the header. */
#include "publisher-api/routes.h"

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

size_t routes_ops(struct http_route out[ROUTES_MAX])
{
    memcpy(out, ops, sizeof ops);
    return sizeof ops / sizeof *ops;
}

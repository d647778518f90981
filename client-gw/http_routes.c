/* Plain HTTP on the gateway's listener: see the header. */
#include "client-gw/http_routes.h"

#include "bridge/health.h"

#include <stdlib.h>
#include <string.h>

static void handle_livez(struct http_exchange *exchange,
                         const struct http_request *request, void *ctx)
{
    (void)request;
    (void)ctx;
    health_answer_live(exchange);
}

static void handle_readyz(struct http_exchange *exchange,
                          const struct http_request *request, void *ctx)
{
    const struct lifecycle *lifecycle = ctx;

    (void)request;
    health_answer_ready(exchange, lifecycle_is_ready(lifecycle));
}

static const struct http_route own_routes[] = {
    {HTTP_GET, "/livez",   0, handle_livez,  NULL, NULL},
    {HTTP_GET, "/healthz", 0, handle_livez,  NULL, NULL},
    {HTTP_GET, "/readyz",  0, handle_readyz, NULL, NULL},
};

struct http_route *gateway_routes_create(const struct lifecycle *lifecycle,
                                         const struct http_route *pages,
                                         size_t page_count, size_t *count)
{
    size_t own = sizeof own_routes / sizeof *own_routes;
    struct http_route *routes = calloc(own + page_count, sizeof *routes);

    if (!routes)
        return NULL;
    memcpy(routes, own_routes, sizeof own_routes);
    for (size_t i = 0; i < own; i++)
        routes[i].ctx = (void *)lifecycle; /* only read through the const pointer */
    if (page_count)
        memcpy(routes + own, pages, page_count * sizeof *pages);
    *count = own + page_count;
    return routes;
}

/* The tables of endpoints, one for each listener of the publisher. */
#ifndef PUBLISHER_API_ROUTES_H
#define PUBLISHER_API_ROUTES_H

#include "bridge/http_server.h"

enum {
    ROUTES_MAX = 16
};

/* Fill `out` and give the number of rows. The context of every row is a struct
 * handler_parts. */
size_t routes_publisher(struct http_route out[ROUTES_MAX], size_t max_body);
/* What the routes of a configuration look like to the server: whatever they do, it is one
 * of these rows. */
struct configured_routes {
    struct http_route rows[2];            /* without a body, with one */
    const struct web_policy *page_policy; /* keeps; of those that pages may ask */
};
void routes_configure(struct configured_routes *configured,
                      const struct web_policy *page_policy, size_t max_body);
http_find_fn routes_find; /* with a struct handler_parts */

size_t routes_ops(struct http_route out[ROUTES_MAX]);

#endif

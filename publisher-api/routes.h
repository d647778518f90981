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
size_t routes_ops(struct http_route out[ROUTES_MAX]);

#endif

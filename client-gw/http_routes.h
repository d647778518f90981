/* Plain HTTP on the gateway's listener: health. Loop thread. */
#ifndef CLIENT_GW_HTTP_ROUTES_H
#define CLIENT_GW_HTTP_ROUTES_H

#include "bridge/http_server.h"
#include "bridge/lifecycle.h"

/* Gives the gateway's own routes followed by `pages` (free), or NULL. Keeps `lifecycle`.
 */
struct http_route *gateway_routes_create(const struct lifecycle *lifecycle,
                                         const struct http_route *pages,
                                         size_t page_count, size_t *count);

#endif

/*
 * Who sends a request to a route of the configuration, and whether that is somebody the
 * route is for: a key, a client's token with the right claims, or nobody at all. Loop
 * thread only.
 */
#ifndef PUBLISHER_API_ROUTE_CALLER_H
#define PUBLISHER_API_ROUTE_CALLER_H

#include "proto/route_rules.h"
#include "publisher-api/handlers.h"

/*
 * ST_OK fills `*caller` (caller_finish) and, of a route that asks for a token, `*claims`
 * (claims_drop). As caller_identify.
 */
enum status route_caller_identify(const struct handler_parts *parts,
                                  const struct route_rule *rule,
                                  const struct http_head *head,
                                  const struct ip_address *peer, struct caller *caller,
                                  struct claims **claims,
                                  char detail[CALLER_DETAIL_BYTES], const char **hint);

#endif

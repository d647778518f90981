/*
 * Whose request it is that came to this gateway's listener: several gateways may share
 * it, and the publisher with them. Loop thread.
 */
#ifndef CLIENT_GW_OWNER_H
#define CLIENT_GW_OWNER_H

#include "bridge/fd_pass.h"
#include "proto/http_gate.h"

struct client_services;

/* A request for a session of another gateway (its sid begins with that one's mark), on
 * the mounts of Engine.IO alone. */
bool owner_is_gateway(const struct client_services *services,
                      const struct http_head *head, struct fd_pass_owner *owner);

/*
 * A request for the publisher, where it shares the listener: its own paths, and those of
 * the configured routes. A mount's path is the mount's, whatever the routes say.
 */
bool owner_is_publisher(const struct client_services *services,
                        const struct http_head *head, struct fd_pass_owner *owner);

#endif

/* Arrivals: see the header. */
#include "client-gw/arrival.h"

#include "client-gw/services.h"
#include "proto/auth_rules.h"

#include <stdlib.h>

struct auth_found arrival_find_token(struct client_services *services,
                                     const struct http_head *head)
{
    const struct auth_handshake handshake = {
        .authorization = http_head_field(head, "authorization"),
        .cookie = http_head_field(head, "cookie"),
        .query = head->query,
        .subprotocols = http_head_field(head, "sec-websocket-protocol"),
    };

    return auth_sources_in_handshake(auth_rules_sources(services->system->auth),
                                     &handshake, &services->strings);
}

struct arrival *arrival_create(struct client_services *services, struct mount *mount,
                               const struct http_head *head, const char *request_id)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);

    if (!arrival)
        return NULL;
    arrival->mount = mount_share(mount);
    arrival->services = services;
    if (request_id)
        arrival->request_id = slice_dup(slice_of(request_id));
    /* Verified at CONNECT, where a refusal can be told to the client. */
    struct auth_found found = arrival_find_token(services, head);
    if (found.token.len > 0)
        arrival->token = slice_dup(found.token);
    arrival->token_rank = found.rank;
    return arrival;
}

void arrival_destroy(struct arrival *arrival)
{
    if (!arrival)
        return;
    if (arrival->claims)
        claims_drop(arrival->claims);
    peer_guest_leave(arrival->guest);
    mount_release(arrival->mount);
    free(arrival->token);
    free(arrival->session);
    free(arrival->position);
    free(arrival->request_id);
    free(arrival);
}

/*
 * Upgrades: who may come in, on which mount, and what their request brings along. Decided
 * from the gated head, before the WebSocket library sees the socket. Loop thread.
 */
#ifndef CLIENT_GW_UPGRADE_H
#define CLIENT_GW_UPGRADE_H

#include "bridge/front.h"
#include "client-gw/arrival.h"

/* What a refusal says; outlives the call that made it. */
struct upgrade_refusal {
    char detail[200];
    const char *hint;
    const char *bare; /* Engine.IO's own words; NULL: a problem document */
};

/*
 * ST_OK gives an arrival (arrival_destroy). ST_NOT_FOUND: no mount here;
 * ST_BAD_CREDENTIAL: a bad token on a native mount (Socket.IO clients are told at
 * CONNECT); ST_BAD_REQUEST: not what the mount's protocol asks for; ST_BUSY: it would be
 * one of more than `max_connections`, as who polls already is not.
 */
enum status upgrade_decide(const struct front_visit *visit,
                           struct client_services *services, size_t max_connections,
                           struct arrival **arrival, struct upgrade_refusal *refusal);

#endif

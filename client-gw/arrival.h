/*
 * An arrival: what an upgrade request brought along, kept as long as a
 * (further) CONNECT may need it. Owns its memory. Loop thread.
 */
#ifndef CLIENT_GW_ARRIVAL_H
#define CLIENT_GW_ARRIVAL_H

#include "bridge/peer_limits.h"
#include "client-gw/mount.h"
#include "proto/claims.h"

struct client_services;

struct arrival {
    struct mount *mount; /* shared */
    struct client_services *services;
    struct peer_guest
        *guest;            /* leaves with it, unless a connection takes it; may be NULL */
    struct claims *claims; /* native: of a token in the handshake; NULL: none came */
    char *token; /* Socket.IO: unverified, for CONNECTs that bring none themselves; may be
                    NULL */
    size_t token_rank;    /* where its source stands (proto/auth_sources) */
    bool has_subprotocol; /* sidecast.v1 was offered */
    bool wants_resume;    /* native: ?session= was given */
};

/* Accepts NULL. */
void arrival_destroy(struct arrival *arrival);

#endif

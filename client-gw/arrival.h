/*
 * An arrival: what an upgrade request brought along, kept as long as a
 * (further) CONNECT may need it. Owns its memory. Loop thread.
 */
#ifndef CLIENT_GW_ARRIVAL_H
#define CLIENT_GW_ARRIVAL_H

#include "bridge/peer_limits.h"
#include "client-gw/mount.h"
#include "proto/auth_sources.h"
#include "proto/claims.h"
#include "proto/http_gate.h"

struct client_services;
struct connection;

struct arrival {
    struct mount *mount; /* shared */
    struct client_services *services;
    struct peer_guest
        *guest;            /* leaves with it, unless a connection takes it; may be NULL */
    struct claims *claims; /* native: of a token in the handshake; NULL: none came */
    char *token; /* Socket.IO: unverified, for CONNECTs that bring none themselves; may be
                    NULL */
    char *request_id;         /* of the handshake, for the log; NULL: none */
    size_t token_rank;        /* where its source stands (proto/auth_sources) */
    struct connection *joins; /* Engine.IO: it wants to take over that one; NULL: none */
    bool has_subprotocol;     /* sidecast.v1 was offered */
    char *session;            /* native: ?session=, the secret; NULL: none */
    char *position;           /* native: ?position=; NULL: none */
};

/* Gives what a Socket.IO or Engine.IO handshake brings along (arrival_destroy); shares
 * `mount`, borrows the rest. NULL: out of memory. */
struct arrival *arrival_create(struct client_services *services, struct mount *mount,
                               const struct http_head *head, const char *request_id);
/* The first token that a handshake brings along, unverified; lent by it or by the
 * services' strings. */
struct auth_found arrival_find_token(struct client_services *services,
                                     const struct http_head *head);
/* Accepts NULL. */
void arrival_destroy(struct arrival *arrival);

#endif

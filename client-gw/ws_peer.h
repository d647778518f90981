/*
 * What the WebSocket library tells of a peer, handed to the connection whose transport it
 * is, or whose it wants to become. Loop thread.
 */
#ifndef CLIENT_GW_WS_PEER_H
#define CLIENT_GW_WS_PEER_H

#include "client-gw/ws_server.h"

/* Their ctx is the struct client_services. */
extern const struct ws_events ws_peer_events;

#endif

/*
 * The WebSocket transport: frames are written straight to the socket, already framed; the
 * WebSocket library reads, answers pings, and finishes what a full socket cut off. Loop
 * thread.
 */
#ifndef CLIENT_GW_TRANSPORT_WS_H
#define CLIENT_GW_TRANSPORT_WS_H

#include "client-gw/transport.h"

struct lws;

/* Gives a transport (its `destroy`), or NULL. Keeps `wsi` as long. */
struct transport *transport_ws_create(struct lws *wsi);

#endif

/*
 * The WebSocket transport: frames are written straight to the socket, already framed; the
 * WebSocket library reads, answers pings and closes, and finishes what a full socket cut
 * off.
 */
#ifndef CLIENT_GW_TRANSPORT_WS_H
#define CLIENT_GW_TRANSPORT_WS_H

#include "client-gw/transport.h"

struct lws;

enum transport_ws_end {
    TRANSPORT_WS_OPEN,
    TRANSPORT_WS_ENDING, /* `code` and `reason` go out as soon as the socket drains */
    TRANSPORT_WS_ENDED,  /* they went out: the peer closes, or the deadline does */
};

struct transport_ws {
    struct transport base;
    struct lws *wsi;
    bool asked;  /* we asked for a writeable callback */
    bool is_cut; /* the library still has to finish a frame of ours */
    enum transport_ws_end end;
    unsigned code;
    char reason[WS_REASON_BYTES];
    unsigned char reason_len;
};

/* Keeps `wsi` until transport_ws_gone. */
void transport_ws_init(struct transport_ws *ws, struct lws *wsi);

/*
 * Sends one whole frame to a direct socket. What was sent: all of it (the return is
 * wire.len), a part or nothing; then tell the transport by transport_ws_wrote_partly.
 */
size_t transport_ws_send(int direct_fd, struct slice wire);

/* The first `sent` bytes of `wire` (> 0, not all) went out directly: the rest must follow
 * first. */
void transport_ws_wrote_partly(struct transport *transport, struct slice wire,
                               size_t sent);

/* The library says that the socket drained; false: it was not asked to. */
bool transport_ws_drained(struct transport_ws *ws);

/* Nothing waits in the outbox: when the connection is ending, the close frame goes out
 * now. */
void transport_ws_finish(struct transport_ws *ws);

/* The library has closed: nothing of `wsi` is touched any more. */
void transport_ws_gone(struct transport_ws *ws);

#endif

/*
 * How the bytes of one connection move. A transport writes frames and reports what
 * arrives; it knows no dialect. WebSocket today; a connection may exchange its transport
 * while it lives. Loop thread.
 */
#ifndef CLIENT_GW_TRANSPORT_H
#define CLIENT_GW_TRANSPORT_H

#include "client-gw/frame_queue.h"

struct transport;

struct transport_ops {
    const char *name; /* "websocket" */

    /*
     * Writes what `queue` holds, as much as goes out, several frames in one write, and
     * shifts what was taken. What is left is written when the socket drains: on_drained
     * of the connection. False: the peer is gone, the transport reports it soon; nothing
     * more is to be written.
     */
    bool (*flush)(struct transport *transport, struct frame_queue *queue);

    /*
     * Ends the connection with a close code (0: a close frame without one) once what lies
     * in the socket has gone, or after a bounded time. Calls nothing back before it
     * returns; on_gone follows.
     */
    void (*close)(struct transport *transport, unsigned code, struct slice reason);
};

struct transport {
    const struct transport_ops *ops;
    /*
     * While ≥ 0, a whole frame may be sent straight to this socket, provided that nothing
     * waits in the outbox; what did not fit goes to transport_ws_wrote_partly. The one
     * door that fan-out uses.
     */
    int direct_fd;
};

#endif

/*
 * How the bytes of one connection move. A transport writes frames and ends the peer; it
 * knows no dialect. A connection may exchange its transport while it lives. Loop thread.
 */
#ifndef CLIENT_GW_TRANSPORT_H
#define CLIENT_GW_TRANSPORT_H

#include "client-gw/frame_queue.h"

struct connection;
struct transport;

struct transport_ops {
    const char *name; /* "websocket", "polling" */

    /*
     * Writes what `queue` holds, as much as goes out, several frames in one write, and
     * shifts what was taken. What is left goes out by `drained`. When the peer is gone
     * nothing is written: the owner is told soon.
     */
    void (*flush)(struct transport *transport, struct frame_queue *queue);

    /* The first `sent` bytes of `wire` (> 0, not all) went out directly: the rest follows
     * first. */
    void (*finish_frame)(struct transport *transport, struct slice wire, size_t sent);

    /* The peer takes more: flushes, and says goodbye when that is due and nothing waits.
     */
    void (*drained)(struct transport *transport, struct frame_queue *queue);

    /*
     * Ends the peer with a close code (0: without one) once what waits has gone, or after
     * a bounded time. Keeps `reason`, which is static. Calls nothing back.
     */
    void (*close)(struct transport *transport, unsigned code, struct slice reason);

    /* Frees it; the peer is gone, or is cut off. */
    void (*destroy)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    /* Whose it is; a WebSocket may belong to a connection that still has another
     * transport (client-gw/engineio), and to none while it is being closed. */
    struct connection *owner;
    /*
     * While ≥ 0 and not blocked, a whole frame may be sent straight to this socket
     * (transport_send), provided that nothing waits in the outbox. The one door that
     * fan-out uses.
     */
    int direct_fd;
    bool is_blocked; /* a frame of ours is not yet out whole */
};

/* Sends a frame to a direct socket; gives how many bytes of it went out, 0 to wire.len.
 */
size_t transport_send(int direct_fd, struct slice wire);

#endif

/* WebSocket output: see the header. */
#include "client-gw/transport_ws.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    FRAMES_PER_WRITE = 64,
    CLOSE_DEADLINE_S = 2, /* a peer that reads nothing does not keep us */
};

enum ending {
    NOT_ENDING,
    ENDING, /* `code` and `reason` go out as soon as the socket drains */
    ENDED,  /* they went out: the peer closes, or the deadline does */
};

struct transport_ws {
    struct transport base; /* first: the owner's pointer is to it */
    struct lws *wsi;
    bool has_asked; /* we asked for a writeable callback */
    enum ending ending;
    unsigned code;
    struct slice reason; /* static */
};

static struct transport_ws *ws_of(struct transport *transport)
{
    return (struct transport_ws *)transport;
}

static void ask_for_drain(struct transport_ws *ws)
{
    ws->has_asked = true;
    lws_callback_on_writable(ws->wsi);
}

static void finish_frame(struct transport *transport, struct slice wire, size_t sent)
{
    struct transport_ws *ws = ws_of(transport);
    struct slice rest = slice_from(wire, sent);

    /*
     * The library keeps the rest and sends it before any control frame of its own, so
     * that a pong cannot land inside our frame. LWS_WRITE_HTTP means "as it is": the
     * header has been sent.
     */
    if (lws_write(ws->wsi, (unsigned char *)rest.ptr, rest.len, LWS_WRITE_HTTP) < 0)
        lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    transport->is_blocked = true;
    ask_for_drain(ws);
}

/* How many bytes of the queue's first frames one sendmsg took; -1 when the peer is gone.
 */
static ssize_t send_frames(struct transport_ws *ws, const struct frame_queue *queue,
                           uint32_t count)
{
    struct iovec parts[FRAMES_PER_WRITE];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    for (uint32_t i = 0; i < count; i++) {
        struct slice wire = frame_wire(frame_queue_at(queue, i));
        parts[i] = (struct iovec){(char *)wire.ptr, wire.len};
    }
    ssize_t n =
        sendmsg(lws_get_socket_fd(ws->wsi), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
    return n;
}

/* Shifts the whole frames that `sent` bytes are, and has a cut one finished. True: all
 * went out. */
static bool take_sent(struct transport_ws *ws, struct frame_queue *queue, uint32_t count,
                      size_t sent)
{
    uint32_t whole = 0;

    if (sent == queue->bytes) {
        frame_queue_shift(queue, count);
        return true;
    }
    while (whole < count && sent >= frame_wire(frame_queue_at(queue, whole)).len)
        sent -= frame_wire(frame_queue_at(queue, whole++)).len;
    if (sent > 0) {
        finish_frame(&ws->base, frame_wire(frame_queue_at(queue, whole)), sent);
        frame_queue_shift(queue, whole + 1);
        return false;
    }
    frame_queue_shift(queue, whole);
    return whole == count;
}

static void flush(struct transport *transport, struct frame_queue *queue)
{
    struct transport_ws *ws = ws_of(transport);

    while (queue->count > 0) {
        uint32_t count =
            queue->count < FRAMES_PER_WRITE ? queue->count : FRAMES_PER_WRITE;
        ssize_t sent = 0;
        /* A pong that a full socket cut in two comes before anything of ours. */
        if (!lws_partial_buffered(ws->wsi))
            sent = send_frames(ws, queue, count);
        if (sent < 0)
            return;
        if (!take_sent(ws, queue, count, (size_t)sent)) {
            ask_for_drain(ws);
            return;
        }
    }
}

/*
 * The library's own close frame is lost on a libuv loop: it closes a second time at once.
 * Ours is written here; the peer's answer or its FIN then ends the connection.
 */
static void say_goodbye(struct transport_ws *ws)
{
    char frame[WS_CLOSE_BYTES];
    int fd = lws_get_socket_fd(ws->wsi);
    size_t len = ws_close_frame(frame, ws->code, ws->reason);

    transport_send(fd, (struct slice){frame, len});
    shutdown(fd, SHUT_WR);
    ws->ending = ENDED;
}

static void drained(struct transport *transport, struct frame_queue *queue)
{
    struct transport_ws *ws = ws_of(transport);

    /*
     * A drain that nobody asked for follows the library's answer to a ping. A pong that a
     * full socket cuts in two is finished by the library: from now on nothing is written
     * past it without looking.
     */
    if (!ws->has_asked)
        transport->direct_fd = -1;
    ws->has_asked = false;
    transport->is_blocked = lws_partial_buffered(ws->wsi);
    flush(transport, queue);
    if (ws->ending != ENDING || queue->count > 0)
        return;
    if (transport->is_blocked)
        ask_for_drain(ws);
    else
        say_goodbye(ws);
}

static void end(struct transport *transport, unsigned code, struct slice reason)
{
    struct transport_ws *ws = ws_of(transport);

    if (ws->ending != NOT_ENDING)
        return;
    ws->ending = ENDING;
    ws->code = code;
    ws->reason = reason;
    ask_for_drain(ws);
    /* A short timeout goes to the head of the library's list: this one costs no walk. */
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_DEADLINE_S);
}

static void destroy(struct transport *transport)
{
    free(transport);
}

static const struct transport_ops websocket_ops = {
    .name = "websocket",
    .flush = flush,
    .finish_frame = finish_frame,
    .drained = drained,
    .close = end,
    .destroy = destroy,
};

struct transport *transport_ws_create(struct lws *wsi)
{
    struct transport_ws *ws = calloc(1, sizeof *ws);

    if (!ws)
        return NULL;
    ws->base.ops = &websocket_ops;
    ws->base.direct_fd = lws_get_socket_fd(wsi);
    ws->wsi = wsi;
    return &ws->base;
}

/* WebSocket output: see the header. */
#include "client-gw/transport_ws.h"

#include <errno.h>
#include <libwebsockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    FRAMES_PER_WRITE = 64,
    CLOSE_DEADLINE_S = 2, /* a peer that reads nothing does not keep us */
};

static struct transport_ws *ws_of(struct transport *transport)
{
    return (struct transport_ws *)transport; /* base is its first member */
}

static void ask_for_drain(struct transport_ws *ws)
{
    ws->asked = true;
    lws_callback_on_writable(ws->wsi);
}

size_t transport_ws_send(int direct_fd, struct slice wire)
{
    ssize_t n = send(direct_fd, wire.ptr, wire.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

void transport_ws_wrote_partly(struct transport *transport, struct slice wire,
                               size_t sent)
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
    ws->is_cut = true;
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

static bool ws_flush(struct transport *transport, struct frame_queue *queue)
{
    struct transport_ws *ws = ws_of(transport);

    if (!ws->wsi)
        return false;
    while (queue->count > 0) {
        if (lws_partial_buffered(ws->wsi)) {
            ask_for_drain(ws);
            return true;
        }
        uint32_t count =
            queue->count < FRAMES_PER_WRITE ? queue->count : FRAMES_PER_WRITE;
        ssize_t sent = send_frames(ws, queue, count);
        if (sent < 0)
            return false;

        uint32_t whole = 0;
        while (whole < count &&
               (size_t)sent >= frame_wire(frame_queue_at(queue, whole)).len) {
            sent -= (ssize_t)frame_wire(frame_queue_at(queue, whole)).len;
            whole++;
        }
        if (sent > 0) {
            struct slice wire = frame_wire(frame_queue_at(queue, whole));
            transport_ws_wrote_partly(transport, wire, (size_t)sent);
            frame_queue_shift(queue, whole + 1);
        } else {
            frame_queue_shift(queue, whole);
            if (whole < count) {
                ask_for_drain(ws);
                return true;
            }
        }
    }
    return true;
}

static void ws_close(struct transport *transport, unsigned code, struct slice reason)
{
    struct transport_ws *ws = ws_of(transport);

    if (!ws->wsi || ws->end != TRANSPORT_WS_OPEN)
        return;
    reason = slice_first(reason, sizeof ws->reason);
    ws->end = TRANSPORT_WS_ENDING;
    ws->code = code;
    ws->reason_len = (unsigned char)reason.len;
    if (reason.len)
        memcpy(ws->reason, reason.ptr, reason.len);
    ask_for_drain(ws);
    /* A short timeout goes to the head of the library's list: this one costs no walk. */
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_DEADLINE_S);
}

bool transport_ws_drained(struct transport_ws *ws)
{
    bool was_asked = ws->asked;

    ws->asked = false;
    ws->is_cut = lws_partial_buffered(ws->wsi);
    return was_asked;
}

void transport_ws_finish(struct transport_ws *ws)
{
    char frame[WS_CLOSE_BYTES];

    if (ws->end != TRANSPORT_WS_ENDING)
        return;
    if (ws->is_cut) {
        ask_for_drain(ws);
        return;
    }
    /*
     * The library's own close frame is lost on a libuv loop: it closes a second time at
     * once. Ours is written here; the peer's answer or its FIN then ends the connection.
     */
    int fd = lws_get_socket_fd(ws->wsi);
    size_t len =
        ws_close_frame(frame, ws->code, (struct slice){ws->reason, ws->reason_len});
    transport_ws_send(fd, (struct slice){frame, len});
    shutdown(fd, SHUT_WR);
    ws->end = TRANSPORT_WS_ENDED;
}

static const struct transport_ops websocket_ops = {
    .name = "websocket",
    .flush = ws_flush,
    .close = ws_close,
};

void transport_ws_init(struct transport_ws *ws, struct lws *wsi)
{
    *ws = (struct transport_ws){
        .base = {.ops = &websocket_ops, .direct_fd = lws_get_socket_fd(wsi)},
        .wsi = wsi,
    };
}

void transport_ws_gone(struct transport_ws *ws)
{
    ws->wsi = NULL;
    ws->base.direct_fd = -1;
}

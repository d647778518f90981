/*
 * Visitors: connections whose first head is still on its way. Heads are peeked at, never
 * read: whoever gets the socket finds all of it. A head that is there at once, as behind
 * a proxy, costs no handle at all.
 */
#include "bridge/front_parts.h"

#include "bridge/clock.h"
#include "bridge/peer_ip.h"
#include "bridge/request_id.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct visitor {
    struct list_node node; /* first: see list.h */
    struct front *front;
    uv_poll_t poll;
    int fd;
    uint64_t deadline;
    struct front_peer peer;
};

struct glance {
    char bytes[LIMIT_HTTP_POOL_BYTES];
    size_t len;
    bool is_gone;       /* the peer closed, or the socket failed */
    enum status status; /* the gate's; ST_AGAIN: not all of it is there */
    const char *reason;
    struct http_head head;
};

static void look(int fd, struct glance *glance)
{
    ssize_t n = recv(fd, glance->bytes, sizeof glance->bytes, MSG_PEEK | MSG_DONTWAIT);

    glance->len = n > 0 ? (size_t)n : 0;
    glance->is_gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    glance->status = ST_AGAIN;
    if (n > 0)
        glance->status = http_gate_raw((struct slice){glance->bytes, (size_t)n},
                                       &glance->head, &glance->reason);
}

/* The kernel wakes us once there are `bytes`, not for those that we have seen. */
static void wake_at(int fd, size_t bytes)
{
    int mark = (int)bytes;

    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
}

/* The texts that a refusal points to. */
struct note {
    char ip[INET6_ADDRSTRLEN];
    char id[REQUEST_ID_SIZE];
    struct http_refusal refusal;
};

/* `head` NULL: nothing is known of it. */
static void write_note(struct note *note, const struct front_peer *peer,
                       const struct http_head *head, const struct problem *problem)
{
    peer_ip((const struct sockaddr *)&peer->address, peer->len, note->ip);
    request_id_choose(head, note->id);
    note->refusal = (struct http_refusal){.problem = *problem, .peer_ip = note->ip};
    note->refusal.problem.instance = slice_of(note->id);
}

/* Takes `fd`. */
static void refuse(struct front *front, int fd, const struct front_peer *peer,
                   const struct http_head *head, const struct problem *problem)
{
    struct note note;

    write_note(&note, peer, head, problem);
    http_refuser_answer(front->refuser, fd, &note.refusal);
}

void front_refuse_at_once(struct front *front, int fd, const struct front_peer *peer)
{
    struct problem busy = {.status = ST_BUSY, .detail = "No descriptor is free."};
    struct note note;

    write_note(&note, peer, NULL, &busy);
    http_refuser_answer_at_once(front->refuser, fd, &note.refusal);
}

/* Takes `fd`. */
static void upgrade(struct front *front, int fd, const struct front_peer *peer,
                    const struct http_head *head)
{
    struct problem problem = {.status = ST_NOT_FOUND};
    struct note note;

    write_note(&note, peer, head, &problem);
    struct front_visit visit = {
        .head = head,
        .peer = (const struct sockaddr *)&peer->address,
        .peer_len = peer->len,
        .peer_ip = note.ip,
        .request_id = note.id,
    };
    struct problem *refusal = &note.refusal.problem;
    if (front->config.on_upgrade) {
        refusal->status =
            front->config.on_upgrade(front->config.ctx, fd, &visit, refusal);
        if (refusal->status == ST_OK)
            return;
    }
    refusal->instance = slice_of(note.id);
    http_refuser_answer(front->refuser, fd, &note.refusal);
}

/* Takes `fd`, whose head is complete or refused, and on which no handle is left. */
static void decide(struct front *front, int fd, const struct front_peer *peer,
                   const struct glance *glance)
{
    struct problem problem = {.status = glance->status, .detail = glance->reason};

    if (glance->status)
        refuse(front, fd, peer, &glance->head, &problem);
    else if (glance->head.is_websocket)
        upgrade(front, fd, peer, &glance->head);
    else
        http_server_adopt(front->config.http, fd, (const struct sockaddr *)&peer->address,
                          peer->len);
}

static void on_visitor_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Gives the socket, free of handles; the visitor is gone with the next turn. */
static int visitor_release(struct visitor *visitor)
{
    list_remove(&visitor->node);
    visitor->front->visitor_count--;
    uv_close((uv_handle_t *)&visitor->poll, on_visitor_closed);
    wake_at(visitor->fd, 1);
    return visitor->fd;
}

static void on_bytes(uv_poll_t *poll, int error, int events)
{
    struct visitor *visitor = poll->data;
    struct front *front = visitor->front;
    struct glance glance;

    look(visitor->fd, &glance);
    bool is_half = glance.status == ST_AGAIN && (events & UV_DISCONNECT);
    if (error || glance.is_gone || is_half) {
        close(visitor_release(visitor));
        return;
    }
    if (glance.status == ST_AGAIN) {
        wake_at(visitor->fd, glance.len + 1);
        return;
    }
    struct front_peer peer = visitor->peer;
    decide(front, visitor_release(visitor), &peer, &glance);
}

/* Takes `fd`, of whose head `len` bytes are there. */
static void wait_for_head(struct front *front, int fd, const struct front_peer *peer,
                          size_t len)
{
    struct problem busy = {.status = ST_BUSY,
                           .detail = "Too many requests are arriving."};
    struct visitor *visitor = NULL;

    if (front->visitor_count < front->config.max_pending)
        visitor = calloc(1, sizeof *visitor);
    if (!visitor || uv_poll_init(front->config.loop, &visitor->poll, fd) != 0) {
        free(visitor);
        refuse(front, fd, peer, NULL, &busy);
        return;
    }
    visitor->front = front;
    visitor->poll.data = visitor;
    visitor->fd = fd;
    visitor->peer = *peer;
    visitor->deadline = clock_ms() + front->config.head_deadline_ms;
    list_append(&front->visitors, &visitor->node);
    front->visitor_count++;
    front_sweep_start(front);
    wake_at(fd, len + 1);
    if (uv_poll_start(&visitor->poll, UV_READABLE | UV_DISCONNECT, on_bytes) != 0)
        close(visitor_release(visitor));
}

void front_meet(struct front *front, int fd, const struct front_peer *peer)
{
    struct glance glance;

    look(fd, &glance);
    if (glance.is_gone)
        close(fd);
    else if (glance.status == ST_AGAIN)
        wait_for_head(front, fd, peer, glance.len);
    else
        decide(front, fd, peer, &glance);
}

void front_visitors_sweep(struct front *front)
{
    struct problem late = {.status = ST_TIMEOUT,
                           .detail = "The request head took too long to arrive."};
    uint64_t now = clock_ms();
    struct list_node *node;

    while ((node = list_first(&front->visitors))) {
        struct visitor *visitor = (struct visitor *)node;
        if (visitor->deadline > now)
            return;
        struct front_peer peer = visitor->peer;
        refuse(front, visitor_release(visitor), &peer, NULL, &late);
    }
}

void front_visitors_close(struct front *front)
{
    struct list_node *node;

    while ((node = list_first(&front->visitors)))
        close(visitor_release((struct visitor *)node));
}

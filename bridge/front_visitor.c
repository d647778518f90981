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
    char id[REQUEST_ID_SIZE];
    struct http_refusal refusal;
};

/* `head` NULL: nothing is known of it. */
static void write_note(struct note *note, const char *ip, const struct http_head *head,
                       const struct problem *problem)
{
    request_id_choose(head, note->id);
    note->refusal = (struct http_refusal){.problem = *problem, .peer_ip = ip};
    note->refusal.problem.instance = slice_of(note->id);
}

void front_refuse(struct front *front, int fd, const struct front_peer *peer,
                  const struct http_head *head, const struct problem *problem)
{
    struct note note;
    char ip[IP_TEXT_BYTES];

    ip_address_print(&peer->ip, ip);
    write_note(&note, ip, head, problem);
    http_refuser_answer(front->refuser, fd, &note.refusal);
    peer_guest_leave(peer->guest);
}

void front_refuse_at_once(struct front *front, int fd, const struct front_peer *peer,
                          enum status status, const char *detail)
{
    struct problem problem = {.status = status, .detail = detail};
    struct note note;
    char ip[IP_TEXT_BYTES];

    peer_ip((const struct sockaddr *)&peer->address, peer->len, ip);
    write_note(&note, ip, NULL, &problem);
    http_refuser_answer_at_once(front->refuser, fd, &note.refusal);
    peer_guest_leave(peer->guest);
}

/* ST_OK: let in, and counted if its address is. */
static enum status enter(struct front *front, struct front_peer *peer,
                         const struct ip_address *address, struct problem *problem)
{
    if (front->config.limits)
        problem->status =
            peer_limits_enter(front->config.limits, address, clock_ms(), &peer->guest);
    problem->detail = problem->status == ST_LIMIT
                          ? "This address has as many connections as it may have."
                          : "Too many addresses are connected.";
    return problem->status;
}

/* Fills in `refusal` unless ST_OK, which takes `fd` and the guest. */
static enum status upgrade(struct front *front, int fd, const struct front_peer *peer,
                           const struct front_visit *visit, struct problem *refusal)
{
    if (front->config.limits &&
        !peer_limits_admit(front->config.limits, peer->guest, clock_ms())) {
        refusal->detail = "Too many clients are connecting: come back in a moment.";
        return refusal->status = ST_BUSY;
    }
    refusal->status = ST_NOT_FOUND;
    if (front->config.on_upgrade)
        refusal->status = front->config.on_upgrade(front->config.ctx, fd, visit, refusal);
    return refusal->status;
}

/* Takes `fd` and the guest. */
static void meet_upgrade(struct front *front, int fd, const struct front_peer *peer,
                         const struct http_head *head)
{
    struct problem problem = {.status = ST_OK};
    struct web_caller caller;
    struct note note;
    char ip[IP_TEXT_BYTES];

    problem.status =
        web_policy_judge(front->config.policy, head, &peer->ip, &caller, &problem.detail);
    ip_address_print(&caller.address, ip);
    write_note(&note, ip, head, &problem);
    const struct front_visit visit = {
        .head = head,
        .peer = (const struct sockaddr *)&peer->address,
        .peer_len = peer->len,
        .peer_ip = ip,
        .request_id = note.id,
        .guest = peer->guest,
    };
    if (!problem.status && !upgrade(front, fd, peer, &visit, &note.refusal.problem))
        return;
    note.refusal.problem.instance = slice_of(note.id);
    http_refuser_answer(front->refuser, fd, &note.refusal);
    peer_guest_leave(peer->guest);
}

static bool is_proxy(const struct front *front, const struct front_peer *peer)
{
    return front->config.policy &&
           ip_prefix_list_has(&front->config.policy->proxies, &peer->ip);
}

/* Behind a proxy the address that counts is known only now. */
static enum status enter_through_proxy(struct front *front, struct front_peer *peer,
                                       const struct http_head *head,
                                       struct problem *problem)
{
    const struct web_policy *policy = front->config.policy;
    struct web_caller caller;

    web_policy_judge(policy, head, &peer->ip, &caller, &problem->detail);
    if (ip_prefix_list_has(&policy->proxies, &caller.address))
        return ST_OK; /* the proxy's own health check */
    if (enter(front, peer, &caller.address, problem))
        peer->ip = caller.address; /* whom the refusal is for */
    return problem->status;
}

/* Takes `fd`, whose head is complete or refused, and on which no handle is left; and the
 * guest. */
static void decide(struct front *front, int fd, struct front_peer *peer,
                   const struct glance *glance)
{
    struct problem problem = {.status = glance->status, .detail = glance->reason};

    if (!problem.status && front_hand_on(front, fd, peer, &glance->head, &problem))
        return;
    if (problem.status || (is_proxy(front, peer) &&
                           enter_through_proxy(front, peer, &glance->head, &problem)))
        front_refuse(front, fd, peer, &glance->head, &problem);
    else if (glance->head.is_websocket)
        meet_upgrade(front, fd, peer, &glance->head);
    else
        http_server_adopt(front->config.http, fd, (const struct sockaddr *)&peer->address,
                          peer->len, peer->guest);
}

static void on_visitor_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Gives the socket, free of handles, and leaves the guest to the caller; the visitor is
 * gone with the next turn. */
static int visitor_release(struct visitor *visitor)
{
    peer_guest_waited(visitor->peer.guest);
    list_remove(&visitor->node);
    visitor->front->visitor_count--;
    uv_close((uv_handle_t *)&visitor->poll, on_visitor_closed);
    wake_at(visitor->fd, 1);
    return visitor->fd;
}

static void visitor_drop(struct visitor *visitor)
{
    struct peer_guest *guest = visitor->peer.guest;

    close(visitor_release(visitor));
    peer_guest_leave(guest);
}

static void on_bytes(uv_poll_t *poll, int error, int events)
{
    struct visitor *visitor = poll->data;
    struct front *front = visitor->front;
    struct glance glance;

    look(visitor->fd, &glance);
    bool is_half = glance.status == ST_AGAIN && (events & UV_DISCONNECT);
    if (error || glance.is_gone || is_half) {
        visitor_drop(visitor);
        return;
    }
    if (glance.status == ST_AGAIN) {
        wake_at(visitor->fd, glance.len + 1);
        return;
    }
    struct front_peer peer = visitor->peer;
    decide(front, visitor_release(visitor), &peer, &glance);
}

/* Whoever means well sends a head at once: who has waited longest is let go for one that
 * has just come. */
static void make_room(struct front *front)
{
    struct visitor *oldest = (struct visitor *)list_first(&front->visitors);

    if (front->visitor_count < front->config.max_pending || !oldest)
        return;
    struct front_peer peer = oldest->peer;
    front_refuse_at_once(front, visitor_release(oldest), &peer, ST_BUSY,
                         "Too many requests are arriving.");
}

/* NULL: no memory, or `fd` cannot be watched. */
static struct visitor *visitor_create(struct front *front, int fd,
                                      const struct front_peer *peer)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);

    if (!visitor || uv_poll_init(front->config.loop, &visitor->poll, fd) != 0) {
        free(visitor);
        return NULL;
    }
    visitor->front = front;
    visitor->poll.data = visitor;
    visitor->fd = fd;
    visitor->peer = *peer;
    visitor->deadline = clock_ms() + front->config.head_deadline_ms;
    list_append(&front->visitors, &visitor->node);
    front->visitor_count++;
    return visitor;
}

/* Takes `fd`, of whose head `len` bytes are there, and the guest. */
static void wait_for_head(struct front *front, int fd, const struct front_peer *peer,
                          size_t len)
{
    struct problem busy = {.status = ST_BUSY,
                           .detail = "Too many requests are arriving."};

    if (!peer_guest_wait(peer->guest)) {
        busy.status = ST_LIMIT;
        busy.detail = "Too many requests of this address are arriving.";
        front_refuse(front, fd, peer, NULL, &busy);
        return;
    }
    make_room(front);
    struct visitor *visitor = visitor_create(front, fd, peer);
    if (!visitor) {
        peer_guest_waited(peer->guest);
        front_refuse(front, fd, peer, NULL, &busy);
        return;
    }
    front_sweep_start(front);
    wake_at(fd, len + 1);
    if (uv_poll_start(&visitor->poll, UV_READABLE | UV_DISCONNECT, on_bytes) != 0)
        visitor_drop(visitor);
}

void front_meet(struct front *front, int fd, struct front_peer *peer)
{
    struct problem problem = {.status = ST_OK};
    struct glance glance;

    peer->guest = NULL;
    peer->ip = peer_address((const struct sockaddr *)&peer->address, peer->len);
    if (!is_proxy(front, peer) && enter(front, peer, &peer->ip, &problem)) {
        front_refuse(front, fd, peer, NULL, &problem);
        return;
    }
    look(fd, &glance);
    if (glance.is_gone) {
        close(fd);
        peer_guest_leave(peer->guest);
    } else if (glance.status == ST_AGAIN) {
        wait_for_head(front, fd, peer, glance.len);
    } else {
        decide(front, fd, peer, &glance);
    }
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
        front_refuse(front, visitor_release(visitor), &peer, NULL, &late);
    }
}

void front_visitors_dismiss(struct front *front)
{
    struct list_node *node;

    while ((node = list_first(&front->visitors))) {
        struct visitor *visitor = (struct visitor *)node;
        struct front_peer peer = visitor->peer;
        front_refuse_at_once(front, visitor_release(visitor), &peer, ST_DRAINING, NULL);
    }
}

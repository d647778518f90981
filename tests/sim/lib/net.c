/* Requests and sockets with delays: see the header. */
#include "sim/lib/net.h"

#include <string.h>

void net_init(struct net *net, struct world *world, const struct net_server *server)
{
    net->world = world;
    net->server = server;
    net->delay_ms = 1 + world_pick(world, 40);
    net->loss_percent = 0;
    net->requests = 0;
    net->sockets = 0;
}

static uint64_t later(struct net *net)
{
    return net->world->now_ms + world_pick(net->world, net->delay_ms + 1);
}

static void happen(struct net *net, uint64_t at_ms, world_fn *run, unsigned id,
                   struct slice text, unsigned number)
{
    const struct world_event event = {
        .at_ms = at_ms, .run = run, .ctx = net, .id = id, .text = text, .number = number};

    world_add(net->world, &event);
}

/* --- requests --- */

static void body_arrives(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;

    if (net->request[event->id].state == NET_OPEN)
        net->server->on_body(net->server->ctx, event->id, event->text);
}

static void request_arrives(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_request *request = &net->request[event->id];

    if (request->state != NET_TRAVELLING)
        return;
    request->state = NET_OPEN;
    net->server->on_request(net->server->ctx, event->id);
    if (request->state == NET_OPEN && request->kind != NET_GET)
        happen(net, later(net), body_arrives, event->id, event->text, 0);
}

unsigned net_ask(struct net *net, const struct net_user *user, enum net_kind kind,
                 struct slice body)
{
    if (net->requests + 1 >= NET_REQUESTS) {
        world_fail(net->world, "too many requests: a loop");
        return NET_NONE;
    }
    unsigned id = ++net->requests;
    net->request[id] = (struct net_request){.kind = kind,
                                            .state = NET_TRAVELLING,
                                            .arrives_ms = later(net),
                                            .user = user,
                                            .is_awaited = true};
    happen(net, net->request[id].arrives_ms, request_arrives, id, body, 0);
    return id;
}

static void leaving_arrives(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_request *request = &net->request[event->id];

    if (request->state != NET_OPEN)
        return;
    request->state = NET_LEFT;
    net->server->on_left(net->server->ctx, event->id);
}

void net_leave(struct net *net, unsigned id)
{
    struct net_request *request = &net->request[id];
    uint64_t at_ms = later(net);

    if (!request->is_awaited)
        return;
    request->is_awaited = false;
    happen(net, at_ms > request->arrives_ms ? at_ms : request->arrives_ms,
           leaving_arrives, id, (struct slice){0}, 0);
}

static void answer_arrives(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_request *request = &net->request[event->id];

    if (!request->is_awaited)
        return;
    request->is_awaited = false;
    request->user->on_answer(request->user->ctx, event->id, event->number, event->text);
}

void net_break_request(struct net *net, unsigned id)
{
    struct net_request *request = &net->request[id];

    if (!request->is_awaited)
        return;
    happen(net, later(net), answer_arrives, id, (struct slice){0}, 0);
    if (request->state == NET_TRAVELLING)
        request->state = NET_LEFT; /* it never arrives */
    else
        happen(net, later(net), leaving_arrives, id, (struct slice){0}, 0);
}

static void loss_is_seen(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;

    net->server->on_lost(net->server->ctx, event->id);
}

void net_answer(struct net *net, unsigned id, unsigned status, struct slice body)
{
    struct net_request *request = &net->request[id];

    if (id == NET_NONE || request->state != NET_OPEN) {
        world_fail(net->world, "request %u is answered, but it is not open", id);
        return;
    }
    world_trace(net->world, "server answers #%u: %u %.*s", id, status, (int)body.len,
                body.ptr ? body.ptr : "");
    request->state = NET_ANSWERED;
    if (request->is_awaited && world_chance(net->world, net->loss_percent)) {
        happen(net, later(net), answer_arrives, id, (struct slice){0}, 0);
        happen(net, later(net), loss_is_seen, id, (struct slice){0}, 0);
    } else {
        happen(net, later(net), answer_arrives, id, body, status);
    }
}

void net_cut(struct net *net, unsigned id)
{
    net_answer(net, id, 0, (struct slice){0});
}

/* --- sockets --- */

static void socket_arrives(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;

    net->socket[event->id].is_open_here = true;
    net->server->on_socket(net->server->ctx, event->id);
}

static void socket_connects(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_socket *socket = &net->socket[event->id];

    if (socket->is_open_there)
        socket->user->on_connected(socket->user->ctx, event->id);
}

static uint64_t in_order(struct net *net, uint64_t *last_ms)
{
    uint64_t at_ms = later(net);

    if (at_ms < *last_ms)
        at_ms = *last_ms;
    *last_ms = at_ms;
    return at_ms;
}

static unsigned add_socket(struct net *net, const struct net_user *user, bool is_open)
{
    if (net->sockets + 1 >= NET_SOCKETS) {
        world_fail(net->world, "too many sockets: a loop");
        return NET_NONE;
    }
    unsigned id = ++net->sockets;
    net->socket[id] =
        (struct net_socket){.user = user, .is_open_there = true, .is_open_here = is_open};
    return id;
}

unsigned net_connected(struct net *net, const struct net_user *user)
{
    return add_socket(net, user, true);
}

unsigned net_connect(struct net *net, const struct net_user *user)
{
    unsigned id = add_socket(net, user, false);
    struct net_socket *socket = &net->socket[id];

    if (id == NET_NONE)
        return id;
    uint64_t at_ms = in_order(net, &socket->to_server_ms);
    happen(net, at_ms, socket_arrives, id, (struct slice){0}, 0);
    socket->to_client_ms = at_ms;
    happen(net, in_order(net, &socket->to_client_ms), socket_connects, id,
           (struct slice){0}, 0);
    return id;
}

static void heard_here(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;

    if (net->socket[event->id].is_open_here)
        net->server->on_heard(net->server->ctx, event->id, event->text,
                              event->number != 0);
}

static void heard_there(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_socket *socket = &net->socket[event->id];

    if (socket->is_open_there)
        socket->user->on_heard(socket->user->ctx, event->id, event->text,
                               event->number != 0);
}

static void closed_here(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_socket *socket = &net->socket[event->id];

    if (!socket->is_open_here)
        return;
    socket->is_open_here = false;
    net->server->on_gone(net->server->ctx, event->id);
}

static void closed_there(void *ctx, const struct world_event *event)
{
    struct net *net = ctx;
    struct net_socket *socket = &net->socket[event->id];

    if (!socket->is_open_there)
        return;
    socket->is_open_there = false;
    socket->user->on_closed(socket->user->ctx, event->id);
}

void net_say(struct net *net, unsigned id, struct slice text, bool is_binary)
{
    struct net_socket *socket = &net->socket[id];

    if (socket->is_open_there)
        happen(net, in_order(net, &socket->to_server_ms), heard_here, id, text,
               is_binary);
}

void net_hang_up(struct net *net, unsigned id)
{
    struct net_socket *socket = &net->socket[id];

    if (!socket->is_open_there)
        return;
    socket->is_open_there = false;
    happen(net, in_order(net, &socket->to_server_ms), closed_here, id, (struct slice){0},
           0);
}

void net_break_socket(struct net *net, unsigned id)
{
    struct net_socket *socket = &net->socket[id];

    happen(net, in_order(net, &socket->to_server_ms), closed_here, id, (struct slice){0},
           0);
    happen(net, in_order(net, &socket->to_client_ms), closed_there, id, (struct slice){0},
           0);
}

void net_tell(struct net *net, unsigned id, struct slice text, bool is_binary)
{
    struct net_socket *socket = &net->socket[id];

    if (id == NET_NONE || !socket->is_open_here) {
        world_fail(net->world, "something is written to socket %u, which is closed", id);
        return;
    }
    world_trace(net->world, "server tells ws%u: %.*s", id, (int)text.len, text.ptr);
    happen(net, in_order(net, &socket->to_client_ms), heard_there, id, text, is_binary);
}

void net_close(struct net *net, unsigned id)
{
    struct net_socket *socket = &net->socket[id];

    if (id == NET_NONE || !socket->is_open_here) {
        world_fail(net->world, "socket %u is closed, but it is not open", id);
        return;
    }
    world_trace(net->world, "server closes ws%u", id);
    socket->is_open_here = false;
    happen(net, in_order(net, &socket->to_client_ms), closed_there, id, (struct slice){0},
           0);
}

unsigned net_open_requests(const struct net *net)
{
    unsigned count = 0;

    for (unsigned id = 1; id <= net->requests; id++)
        count += net->request[id].state == NET_OPEN;
    return count;
}

unsigned net_open_sockets(const struct net *net)
{
    unsigned count = 0;

    for (unsigned id = 1; id <= net->sockets; id++)
        count += net->socket[id].is_open_here;
    return count;
}

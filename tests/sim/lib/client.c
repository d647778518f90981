/* An honest client: see the header. */
#include "sim/lib/client.h"

#include "proto/base64.h"
#include "proto/eio.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BODY_BYTES = 1 << 20,
    TEXT_BYTES = 32
};

static void flush(struct client *client);
static void heard_packet(struct client *client, struct slice text);

/* --- the end --- */

/* What it waits for is left alone: the answer to a POST of "1" may still come. */
static void closed(struct client *client, const char *why)
{
    if (!client->is_open)
        return;
    client->is_open = false;
    client->end = why;
    world_trace(client->world, "client closes: %s", why);
    if (client->websocket)
        net_hang_up(client->net, client->websocket);
    if (client->probe)
        net_hang_up(client->net, client->probe);
}

static void finish_close(struct client *client)
{
    bool is_waiting = client->buffered > 0 || client->post || client->is_pausing;

    if (!client->is_closing || !client->is_open || is_waiting)
        return;
    if (!client->websocket)
        net_ask(client->net, &client->user, NET_POST, SLICE("1"));
    closed(client, "forced close");
}

void client_close(struct client *client)
{
    client->is_closing = true;
    if (!client->has_vanished)
        finish_close(client);
}

void client_vanish(struct client *client)
{
    world_trace(client->world, "client vanishes");
    client->has_vanished = true;
}

/* --- polls and the upgrade --- */

static void poll(struct client *client)
{
    if (client->is_open && !client->websocket && !client->is_pausing && !client->get)
        client->get = net_ask(client->net, &client->user, NET_GET, (struct slice){0});
}

/* Paused: nothing of polling is under way, so nothing can be overtaken. */
static void pause(struct client *client)
{
    if (!client->is_open || !client->is_pausing || client->get || client->post ||
        !client->probe)
        return;
    world_trace(client->world, "client upgrades");
    net_say(client->net, client->probe, SLICE("5"), false);
    client->websocket = client->probe;
    client->probe = NET_NONE;
    client->is_pausing = false;
    client->upgraded_ms = client->world->now_ms;
    flush(client);
    finish_close(client);
}

void client_probe(struct client *client)
{
    if (!client->is_open || client->websocket || client->probe || client->is_pausing ||
        client->has_vanished)
        return;
    client->probe = net_connect(client->net, &client->user);
}

/* --- what it says --- */

static struct slice print_message(unsigned number, char text[TEXT_BYTES])
{
    int len = number == CLIENT_PONG ? snprintf(text, TEXT_BYTES, "3")
              : number % 5 == 0     ? snprintf(text, TEXT_BYTES, "c%u", number)
                                    : snprintf(text, TEXT_BYTES, "4c%u", number);

    return (struct slice){text, (size_t)len};
}

static void post_buffer(struct client *client)
{
    struct buf body = {.max = BODY_BYTES};
    char text[TEXT_BYTES];

    for (unsigned i = 0; i < client->buffered; i++) {
        struct slice packet = print_message(client->buffer[i], text);
        if (packet.ptr[0] == 'c')
            eio_payload_add_binary(&body, packet);
        else
            eio_payload_add(&body, packet);
    }
    client->buffered = 0;
    client->post = net_ask(client->net, &client->user, NET_POST, buf_slice(&body));
    world_trace(client->world, "client posts #%u: %.*s", client->post, (int)body.len,
                body.ptr);
    buf_finish(&body);
}

static void flush(struct client *client)
{
    char text[TEXT_BYTES];

    if (!client->is_open || client->is_pausing || client->post || client->buffered == 0)
        return;
    if (!client->websocket) {
        post_buffer(client);
        return;
    }
    for (unsigned i = 0; i < client->buffered; i++) {
        struct slice packet = print_message(client->buffer[i], text);
        net_say(client->net, client->websocket, packet, packet.ptr[0] == 'c');
    }
    client->buffered = 0;
}

static void put(struct client *client, unsigned number)
{
    if (client->buffered == CLIENT_BUFFER) {
        world_fail(client->world, "the client says more and more");
        return;
    }
    client->buffer[client->buffered++] = number;
}

void client_say(struct client *client, unsigned count)
{
    if (!client->is_open || client->is_closing || client->has_vanished)
        return;
    for (unsigned i = 0; i < count; i++)
        put(client, ++client->said);
    flush(client);
}

/* --- what it hears --- */

static void heard_message(struct client *client, struct slice text)
{
    unsigned number = (unsigned)strtoul(text.ptr + 1, NULL, 10);

    if (text.len < 2 || text.ptr[0] != 's' || number != client->heard + 1)
        world_fail(client->world, "the client hears %.*s after s%u", (int)text.len,
                   text.ptr, client->heard);
    client->heard = number;
}

static void heard_base64(struct client *client, struct slice text)
{
    char bytes[TEXT_BYTES];
    size_t len;

    if (!base64_measure(text, &len) || len >= sizeof bytes) {
        world_fail(client->world, "the client hears no base64: %.*s", (int)text.len,
                   text.ptr);
        return;
    }
    base64_decode(text, bytes);
    bytes[len] = '\0';
    heard_message(client, (struct slice){bytes, len});
}

static void heard_packet(struct client *client, struct slice text)
{
    struct eio_packet packet;

    if (!client->is_open)
        return;
    if (eio_decode(text, &packet)) {
        world_fail(client->world, "the client hears no packet: %.*s", (int)text.len,
                   text.ptr);
        return;
    }
    switch (packet.type) {
    case EIO_PING:
        client->life_ms = client->world->now_ms;
        put(client, CLIENT_PONG);
        flush(client);
        break;
    case EIO_MESSAGE: heard_message(client, packet.data); break;
    case EIO_BINARY: heard_base64(client, packet.data); break;
    case EIO_CLOSE: closed(client, "transport close"); break;
    case EIO_NOOP: break;
    case EIO_OPEN:
    case EIO_PONG:
    case EIO_UPGRADE:
        world_fail(client->world, "the client hears %.*s", (int)text.len, text.ptr);
    }
}

static void on_poll(struct client *client, unsigned status, struct slice body)
{
    struct eio_payload payload = {body, true};
    struct slice text;

    client->get = NET_NONE;
    if (status != 200) {
        closed(client, "transport error");
        return;
    }
    while (client->is_open && eio_payload_next(&payload, &text))
        heard_packet(client, text);
    poll(client);
    pause(client);
}

static void on_posted(struct client *client, unsigned status)
{
    if (status != 200) {
        closed(client, "transport error");
        return;
    }
    client->post = NET_NONE;
    flush(client);
    pause(client);
    finish_close(client);
}

static void on_answer(void *ctx, unsigned id, unsigned status, struct slice body)
{
    struct client *client = ctx;

    if (client->has_vanished || !client->is_open)
        return;
    if (id == client->get)
        on_poll(client, status, body);
    else if (id == client->post)
        on_posted(client, status);
}

static void on_connected(void *ctx, unsigned id)
{
    struct client *client = ctx;

    if (client->has_vanished || id != client->probe)
        return;
    net_say(client->net, id, SLICE("2probe"), false);
}

static void on_heard(void *ctx, unsigned id, struct slice text, bool is_binary)
{
    struct client *client = ctx;

    if (client->has_vanished || !client->is_open)
        return;
    if (id == client->websocket) {
        if (is_binary)
            heard_message(client, text);
        else
            heard_packet(client, text);
    } else if (id == client->probe) {
        if (!slice_is(text, "3probe"))
            world_fail(client->world, "the probe hears %.*s", (int)text.len, text.ptr);
        client->is_pausing = true;
        client->probed_ms = client->world->now_ms;
        pause(client);
    }
}

/*
 * A probe that fails while the client pauses leaves it without a transport: the official
 * client waits for its ping timeout then, too.
 */
static void on_closed(void *ctx, unsigned id)
{
    struct client *client = ctx;

    if (id == client->websocket)
        closed(client, "transport close");
    else if (id == client->probe)
        client->probe = NET_NONE;
}

void client_suffer(struct client *client)
{
    unsigned at_stake[] = {client->get, client->post, client->websocket, client->probe};
    unsigned which = world_pick(client->world, 4);

    if (at_stake[which] == NET_NONE || !client->is_open)
        return;
    world_trace(client->world, "the network breaks %s %u",
                which < 2 ? "request" : "socket", at_stake[which]);
    if (which < 2)
        net_break_request(client->net, at_stake[which]);
    else
        net_break_socket(client->net, at_stake[which]);
}

/* --- life --- */

static void look_at_the_clock(void *ctx, const struct world_event *event)
{
    struct client *client = ctx;
    struct world_event again = *event;

    if (!client->is_open || client->has_vanished)
        return;
    again.at_ms = client->life_ms + client->silence_ms;
    if (again.at_ms > client->world->now_ms) {
        world_add(client->world, &again);
        return;
    }
    if (!client->websocket)
        net_ask(client->net, &client->user, NET_POST, SLICE("1"));
    closed(client, "ping timeout");
}

void client_init(struct client *client, struct world *world, struct net *net,
                 bool is_websocket, uint64_t silence_ms)
{
    const struct world_event clock = {
        .at_ms = world->now_ms + silence_ms, .run = look_at_the_clock, .ctx = client};

    *client = (struct client){
        .world = world,
        .net = net,
        .user = {on_answer, on_connected, on_heard, on_closed, client},
        .is_open = true,
        .end = "",
        .life_ms = world->now_ms,
        .silence_ms = silence_ms,
    };
    world_add(world, &clock);
    if (is_websocket)
        client->websocket = net_connected(net, &client->user);
    else
        poll(client);
}

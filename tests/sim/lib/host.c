/* A server with one session: see the header. */
#include "sim/lib/host.h"

#include "proto/base64.h"
#include "support/eio_words.h"

#include <stdlib.h>

enum {
    BODY_BYTES = 1 << 20,
    TEXT_BYTES = 32
};

/* NOLINTBEGIN(misc-no-recursion): what is delivered makes the application speak, which
 * delivers nothing. */

static void host_step(struct host *host, enum eio_event event, unsigned id,
                      struct slice message);

/* --- the queue --- */

static void enqueue(struct host *host, struct host_packet packet)
{
    if (host->count == HOST_QUEUE) {
        world_fail(host->world, "the queue grows without end");
        return;
    }
    host->queue[(host->first + host->count++) % HOST_QUEUE] = packet;
}

/* The packet as text; binary ones without their "b". */
static struct slice print_packet(const struct host_packet *packet, char text[TEXT_BYTES])
{
    int len = packet->is_ping     ? snprintf(text, TEXT_BYTES, "2")
              : packet->is_binary ? snprintf(text, TEXT_BYTES, "s%u", packet->number)
                                  : snprintf(text, TEXT_BYTES, "4s%u", packet->number);

    return (struct slice){text, (size_t)len};
}

static struct host_packet shift(struct host *host)
{
    struct host_packet packet = host->queue[host->first];

    host->first = (host->first + 1) % HOST_QUEUE;
    host->count--;
    return packet;
}

static void add_queue(struct host *host, struct buf *body)
{
    char text[TEXT_BYTES];

    while (host->count > 0) {
        struct host_packet packet = shift(host);
        struct slice bytes = print_packet(&packet, text);
        if (packet.is_binary)
            eio_payload_add_binary(body, bytes);
        else
            eio_payload_add(body, bytes);
    }
}

static void flush_to_websocket(struct host *host)
{
    char text[TEXT_BYTES];

    while (host->count > 0) {
        struct host_packet packet = shift(host);
        net_tell(host->net, host->websocket, print_packet(&packet, text),
                 packet.is_binary);
    }
}

static void queued(struct host *host)
{
    if (eio_session_state(&host->session) == EIO_UPGRADED)
        flush_to_websocket(host);
    else
        host_step(host, EIO_QUEUED, NET_NONE, (struct slice){0});
}

void host_say(struct host *host, unsigned count)
{
    if (!host->is_known || !eio_session_is_open(&host->session))
        return;
    for (unsigned i = 0; i < count; i++)
        enqueue(host, (struct host_packet){.is_binary = world_chance(host->world, 20),
                                           .number = ++host->said});
    queued(host);
}

void host_shut(struct host *host, bool is_abandoned)
{
    if (!host->is_known)
        return;
    host->shut_ms = host->world->now_ms;
    host_step(host, is_abandoned ? EIO_ABANDON : EIO_SHUT, NET_NONE, (struct slice){0});
}

/* --- what the machine has us do --- */

static void answer(struct host *host, unsigned id, enum eio_answer with)
{
    static const struct {
        unsigned status;
        const char *text;
    } plain[] = {
        [EIO_NOOP_ONLY] = {200, "6"                                },
        [EIO_CLOSE_ONLY] = {200, "1"                                },
        [EIO_NOOP_CLOSE] = {200, "6\x1e"
                                 "1"},
        [EIO_POST_OK] = {200, "ok"                               },
        [EIO_OVERLAP] = {400, ""                                 },
        [EIO_TOO_LARGE] = {413, ""                                 },
        [EIO_BAD_REQUEST] = {400, "3"                                },
        [EIO_UNKNOWN_SID] = {400, "1"                                },
    };
    struct buf body = {.max = BODY_BYTES};

    if (with == EIO_QUEUE || with == EIO_QUEUE_CLOSE) {
        if (host->count == 0)
            world_fail(host->world, "an empty queue is an answer");
        add_queue(host, &body);
        if (with == EIO_QUEUE_CLOSE)
            eio_payload_add(&body, SLICE("1"));
        host->net->request[id].has_packets = true;
        net_answer(host->net, id, 200, buf_slice(&body));
        buf_finish(&body);
        return;
    }
    host->noops += with == EIO_NOOP_ONLY;
    host->posts_ok += with == EIO_POST_OK;
    net_answer(host->net, id, plain[with].status, slice_of(plain[with].text));
}

static unsigned take(unsigned *id)
{
    unsigned taken = *id;

    *id = NET_NONE;
    return taken;
}

/* What a client says is "c<number>", each one more than the last; a hostile one's words
 * begin with something else. */
static void deliver(struct host *host, struct slice message)
{
    if (!host->is_known || !eio_session_is_open(&host->session))
        world_fail(host->world, "a message is delivered after the end");
    if (message.len > 0 && message.ptr[0] == 'c') {
        unsigned number = (unsigned)strtoul(message.ptr + 1, NULL, 10);
        if (number != host->heard + 1)
            world_fail(host->world, "the server hears c%u after c%u", number,
                       host->heard);
        host->heard = number;
    }
    if (world_chance(host->world, host->talk_percent))
        host_say(host, 1 + world_pick(host->world, 3));
}

static void over(struct host *host)
{
    if (!host->is_known)
        world_fail(host->world, "a session ends twice");
    host->is_known = false;
    host->count = 0;
    if (host->held || host->reading || host->websocket)
        world_fail(host->world, "the end forgets GET %u, POST %u, WebSocket %u",
                   host->held, host->reading, host->websocket);
}

static void hold(struct host *host, unsigned id)
{
    if (host->held)
        world_fail(host->world, "two GETs are held");
    host->held = id;
    host->held_ms = host->world->now_ms;
}

static void carry_out(struct host *host, struct eio_output output, unsigned id,
                      struct slice message)
{
    switch (output.verb) {
    case EIO_ANSWER_HELD: answer(host, take(&host->held), output.answer); break;
    case EIO_ANSWER_THIS: answer(host, id, output.answer); break;
    case EIO_ANSWER_POST: answer(host, take(&host->reading), output.answer); break;
    case EIO_CUT_POST: net_cut(host->net, take(&host->reading)); break;
    case EIO_HOLD: hold(host, id); break;
    case EIO_READ: host->reading = id; break;
    case EIO_DELIVER: deliver(host, message); break;
    case EIO_PING_CLIENT:
        enqueue(host, (struct host_packet){.is_ping = true});
        queued(host);
        break;
    case EIO_SEND_PROBE:
        net_tell(host->net, host->websocket, SLICE("3probe"), false);
        break;
    case EIO_SWAP:
        host->upgrades++;
        flush_to_websocket(host);
        break;
    case EIO_CLOSE_WS: net_close(host->net, take(&host->websocket)); break;
    case EIO_REFUSE_WS: net_close(host->net, id); break;
    case EIO_OVER: over(host); break;
    }
}

/* --- steps --- */

static void due(void *ctx, const struct world_event *event);

/* One timer: an earlier one is left to come, and finds nothing due. */
static void arm(struct host *host, uint64_t due_ms)
{
    const struct world_event event = {.at_ms = due_ms +
                                               world_pick(host->world, HOST_LATE_MS + 1),
                                      .run = due,
                                      .ctx = host};

    if (due_ms == 0 || (host->timer_ms && host->timer_ms <= due_ms))
        return;
    host->timer_ms = due_ms;
    world_add(host->world, &event);
}

static void due(void *ctx, const struct world_event *event)
{
    struct host *host = ctx;

    (void)event;
    host->timer_ms = 0;
    if (!host->is_known)
        return;
    host_step(host, EIO_DUE, NET_NONE, (struct slice){0});
    arm(host, eio_session_due_ms(&host->session));
}

/* Times that the promises count from. */
static void take_note(struct host *host, enum eio_event event, enum eio_state before)
{
    enum eio_state state = eio_session_state(&host->session);

    if (before != EIO_PROBING && state == EIO_PROBING) {
        host->probed_ms = host->world->now_ms;
        host->noops = 0;
    }
    if (event == EIO_POSTED_PONG || (event == EIO_WS_PONG && before == EIO_UPGRADED))
        host->life_ms = host->world->now_ms;
}

static void host_step(struct host *host, enum eio_event event, unsigned id,
                      struct slice message)
{
    const struct sabotage *sabotage = host->sabotage;
    enum eio_state before = eio_session_state(&host->session);
    bool has_queue = host->count > 0;
    struct eio_todo todo = {0};
    char text[128];

    if (sabotage && sabotage->on_event)
        event = sabotage->on_event(&host->session, event);
    if (event != EIO_EVENT_COUNT)
        eio_session_step(&host->session, event, has_queue, host->world->now_ms, &todo);
    if (sabotage && sabotage->on_todo)
        sabotage->on_todo(&host->session, event, has_queue, &todo);
    if (host->world->is_tracing) {
        eio_todo_print(&todo, text, sizeof text);
        world_trace(host->world, "server: %s%s -> %s",
                    event == EIO_EVENT_COUNT ? "(nothing)" : eio_event_words[event],
                    has_queue ? " (packets wait)" : "", text);
    }
    take_note(host, event, before);
    arm(host, eio_session_due_ms(&host->session));
    for (unsigned i = 0; i < todo.count && !host->world->has_failed; i++)
        carry_out(host, todo.list[i], id, message);
}

/* NOLINTEND(misc-no-recursion) */

/* --- what comes from the network --- */

static void body_is_late(void *ctx, const struct world_event *event)
{
    struct host *host = ctx;

    if (host->reading != event->id || !host->is_known)
        return;
    net_cut(host->net, take(&host->reading));
    host_step(host, EIO_POST_ABORTED, event->id, (struct slice){0});
}

static void on_request(void *ctx, unsigned id)
{
    struct host *host = ctx;
    enum net_kind kind = host->net->request[id].kind;
    const struct world_event late = {.at_ms = host->world->now_ms + HOST_BODY_TIMEOUT_MS,
                                     .run = body_is_late,
                                     .ctx = host,
                                     .id = id};

    if (!host->is_known) {
        answer(host, id, EIO_UNKNOWN_SID);
        return;
    }
    world_trace(host->world, "server gets #%u, a %s", id,
                kind == NET_GET ? "GET" : "POST");
    host_step(host,
              kind == NET_GET           ? EIO_POLL
              : kind == NET_POST_OCTETS ? EIO_POST_BINARY
                                        : EIO_POST,
              id, (struct slice){0});
    if (kind == NET_POST_STALLED)
        world_add(host->world, &late);
}

static void take_packet(struct host *host, enum eio_event event,
                        const struct eio_packet *packet, struct slice text)
{
    char bytes[64];
    size_t len = 0;
    struct slice message = slice_from(text, 1);

    if (event == EIO_POSTED_MESSAGE && packet->type == EIO_BINARY &&
        base64_measure(packet->data, &len) && len < sizeof bytes) {
        base64_decode(packet->data, bytes);
        bytes[len] = '\0';
        message = (struct slice){bytes, len};
    }
    host_step(host, event, NET_NONE, message);
}

static void on_body(void *ctx, unsigned id, struct slice body)
{
    struct host *host = ctx;
    struct eio_payload payload = {body, true};
    struct eio_packet packet;
    struct slice text;

    if (host->reading != id)
        return; /* octets: it was answered by its head */
    if (host->net->request[id].kind == NET_POST_TOO_LARGE) {
        host_step(host, EIO_POST_TOO_LARGE, id, (struct slice){0});
        return;
    }
    if (host->net->request[id].kind == NET_POST_STALLED)
        return;
    host_step(host, EIO_POST_BODY, id, (struct slice){0});
    while (eio_session_is_open(&host->session) && eio_payload_next(&payload, &text)) {
        enum eio_event event = eio_event_posted(text, &packet);
        take_packet(host, event, &packet, text);
    }
    host_step(host, EIO_POST_DONE, id, (struct slice){0});
    if (host->reading == id)
        world_fail(host->world, "POST %u was read whole and is not answered", id);
}

static void on_left(void *ctx, unsigned id)
{
    struct host *host = ctx;

    world_trace(host->world, "server sees #%u leave", id);
    if (!host->is_known)
        return;
    if (host->held == id) {
        take(&host->held);
        host_step(host, EIO_POLL_ABORTED, id, (struct slice){0});
        if (host->is_known)
            world_fail(host->world, "GET %u was left, and the session lives", id);
    } else if (host->reading == id) {
        take(&host->reading);
        host_step(host, EIO_POST_ABORTED, id, (struct slice){0});
    }
}

static void on_lost(void *ctx, unsigned id)
{
    struct host *host = ctx;

    if (!host->is_known || !host->net->request[id].has_packets)
        return;
    host_step(host, EIO_POLL_LOST, id, (struct slice){0});
    if (host->is_known)
        world_fail(host->world, "what GET %u carried is lost, and the session lives", id);
}

static void on_socket(void *ctx, unsigned id)
{
    struct host *host = ctx;

    if (!host->is_known) {
        net_close(host->net, id);
        return;
    }
    host_step(host, EIO_WS_OPENED, id, (struct slice){0});
    if (!host->net->socket[id].is_open_here)
        return;
    if (host->websocket)
        world_fail(host->world, "a second WebSocket takes the place of the first");
    host->websocket = id;
    host->websocket_ms = host->world->now_ms;
}

static void on_heard(void *ctx, unsigned id, struct slice text, bool is_binary)
{
    struct host *host = ctx;
    struct eio_packet packet = {0};

    if (host->websocket != id || !host->is_known)
        return;
    enum eio_event event = EIO_WS_MESSAGE;
    if (!is_binary)
        event = eio_event_heard(text, &packet);
    host_step(host, event, id, is_binary ? text : slice_from(text, 1));
}

static void on_gone(void *ctx, unsigned id)
{
    struct host *host = ctx;

    if (host->websocket != id)
        return;
    take(&host->websocket);
    if (host->is_known)
        host_step(host, EIO_WS_GONE, id, (struct slice){0});
}

void host_init(struct host *host, struct world *world, struct net *net, bool is_websocket,
               const struct sabotage *sabotage)
{
    bool is_quick = world_chance(world, 30);

    *host = (struct host){
        .world = world,
        .net = net,
        .sabotage = sabotage,
        .server = {on_request, on_body, on_left, on_lost, on_socket, on_heard, on_gone,
                   host},
        .config = {.ping_interval_ms = is_quick ? 300 : 25000,
                   .ping_timeout_ms = is_quick ? 600 : 20000,
                   .upgrade_timeout_ms = 10000,
                   .may_upgrade = true                               },
        .is_known = true,
        .life_ms = world->now_ms,
    };
    net_init(net, world, &host->server);
    eio_session_init(&host->session, &host->config, is_websocket, world->now_ms);
    arm(host, eio_session_due_ms(&host->session));
}

/* --- promises --- */

static void promise(struct host *host, bool holds, const char *what)
{
    if (!holds)
        world_fail(host->world, "%s", what);
}

static bool is_within(const struct host *host, uint64_t since_ms, uint64_t ms)
{
    return host->world->now_ms <= since_ms + ms + HOST_LATE_MS;
}

static void check_probe(struct host *host, enum eio_state state)
{
    uint64_t since_ms = host->held_ms > host->probed_ms ? host->held_ms : host->probed_ms;
    uint64_t probing_ms = host->world->now_ms - host->probed_ms;

    if (host->websocket && state != EIO_UPGRADED)
        promise(host,
                is_within(host, host->websocket_ms, host->config.upgrade_timeout_ms),
                "a WebSocket that never upgrades stays");
    if (state != EIO_PROBING)
        return;
    promise(host, !host->held || is_within(host, since_ms, EIO_TICK_MS),
            "a GET is held for more than a tick while the client probes");
    promise(host,
            host->noops <= (probing_ms + EIO_TICK_MS - EIO_FIRST_TICK_MS) / EIO_TICK_MS,
            "there are more noops than ticks: a loop");
}

void host_check(struct host *host)
{
    enum eio_state state = eio_session_state(&host->session);
    uint64_t silence_ms = host->config.ping_interval_ms + host->config.ping_timeout_ms;

    if (!host->is_known) {
        promise(host, !host->held && !host->reading && !host->websocket && !host->count,
                "something is kept after the end");
        return;
    }
    promise(host, state != EIO_CLOSED, "a session ended, and nobody was told");
    promise(host, !host->held || host->count == 0, "a GET is held while packets wait");
    check_probe(host, state);
    if (state == EIO_CLOSING) {
        promise(host, !host->held, "a GET is held by what is closed");
        promise(host, is_within(host, host->shut_ms, EIO_UNSEEN_CLOSE_MS),
                "a close that nobody saw is kept");
        return;
    }
    promise(host, host->shut_ms == 0, "the application closed it, and it is open");
    /* The timer of a ping may be late, and so the one that ends the wait for its pong. */
    promise(host, is_within(host, host->life_ms, silence_ms + HOST_LATE_MS),
            "a silent client is kept");
    if (state != EIO_UPGRADED)
        return;
    promise(host, host->websocket != NET_NONE, "upgraded to no WebSocket");
    promise(host, host->count == 0, "packets wait while the WebSocket is there");
    promise(host, !host->held && !host->reading, "a request is kept after the upgrade");
}

void host_check_gone(struct host *host)
{
    promise(host, !host->is_known, "the session is still there");
    promise(host, eio_session_due_ms(&host->session) == 0, "a timer is armed");
    if (net_open_requests(host->net) > 0)
        world_fail(host->world, "%u requests were never answered",
                   net_open_requests(host->net));
    if (net_open_sockets(host->net) > 0)
        world_fail(host->world, "%u WebSockets were never closed",
                   net_open_sockets(host->net));
}

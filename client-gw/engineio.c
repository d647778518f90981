/* Engine.IO below a dialect: see the header. */
#include "client-gw/engineio.h"

#include "bridge/clock.h"
#include "bridge/random.h"
#include "client-gw/proving.h"
#include "client-gw/services.h"
#include "client-gw/transport_polling.h"
#include "proto/base64.h"

#include <stdlib.h>
#include <string.h>

/* What an event is about, as far as that is more than its name. */
struct subject {
    struct http_exchange *exchange;
    struct transport *websocket;
    struct slice message;
    enum {
        TEXT,
        BASE64,
        BYTES
    } form; /* of the message */
};

static struct transport_polling *polling_of(const struct connection *connection)
{
    return transport_polling_of(connection->transport);
}

bool engineio_is_polling(const struct connection *connection)
{
    return polling_of(connection) != NULL;
}

struct connection *engineio_find(const struct client_services *services, struct slice sid)
{
    return str_map_find(&services->eio_sids, sid);
}

/* --- what is to be done */

static void deliver_base64(struct connection *connection, struct slice text)
{
    struct buf *strings = &connection->services->strings;
    size_t len = 0;

    base64_measure(text, &len); /* it has been looked at */
    buf_clear(strings);
    char *bytes = buf_reserve(strings, len);
    if (!bytes) {
        connection_close(connection, CLOSE_UNAVAILABLE);
        return;
    }
    base64_decode(text, bytes);
    connection->dialect->messages->on_binary(connection, (struct slice){bytes, len});
}

static void deliver(struct connection *connection, const struct subject *subject)
{
    const struct message_ops *messages = connection->dialect->messages;

    switch (subject->form) {
    case TEXT: messages->on_text(connection, subject->message); break;
    case BASE64: deliver_base64(connection, subject->message); break;
    case BYTES: messages->on_binary(connection, subject->message); break;
    }
}

/* A burst grew the outbox; after an interval of quiet the memory is better with others.
 */
static void ping(struct connection *connection)
{
    connection_pings(connection);
    if (connection->outbox.count == 0)
        frame_queue_finish(&connection->outbox);
    proving_pinged(connection);
    connection_send_text(connection, SLICE("2"));
}

/* From now on it is as if it had begun as a WebSocket. */
static void swap(struct connection *connection)
{
    struct transport_polling *polling = polling_of(connection);
    struct transport *websocket = polling->probe;

    peer_guest_leave(connection->guest);
    connection->guest = polling->probe_guest;
    polling->probe = NULL;
    polling->probe_guest = NULL;
    metrics_add(connection->services->metrics, METRIC_UPGRADES, 1);
    connection_swap(connection, websocket);
    if (connection->state != CONNECTION_OPEN) /* what waited were its last words */
        websocket->ops->close(websocket, 0, (struct slice){0});
}

/* One that is the transport closes with the connection. */
static void close_websocket(struct connection *connection)
{
    struct transport_polling *polling = polling_of(connection);

    if (polling)
        transport_polling_drop_probe(polling);
}

static void refuse_websocket(struct transport *websocket)
{
    websocket->owner = NULL;
    websocket->ops->close(websocket, 0, (struct slice){0});
}

static void forget(struct connection *connection)
{
    struct slice sid = {connection->engineio->sid, LIMIT_EIO_SID_BYTES};

    if (engineio_find(connection->services, sid) == connection)
        str_map_remove(&connection->services->eio_sids, sid);
}

/* Who has no socket that could end is destroyed in a moment, when no caller is left that
 * knows it. */
static void over(struct connection *connection)
{
    static const enum close_reason reasons[] = {
        [EIO_END_NONE] = CLOSE_FAULT,
        [EIO_END_TRANSPORT_CLOSE] = CLOSE_CLIENT,
        [EIO_END_TRANSPORT_ERROR] = CLOSE_FAULT,
        [EIO_END_PING_TIMEOUT] = CLOSE_PING_TIMEOUT,
        [EIO_END_PARSE_ERROR] = CLOSE_PARSE_ERROR,
        [EIO_END_FORCED] = CLOSE_CLIENT,
    };

    forget(connection);
    connection_close(connection,
                     reasons[eio_session_end(&connection->engineio->session)]);
    if (polling_of(connection))
        connection_set_beat(connection, clock_ms());
}

static void act(struct connection *connection, const struct eio_output *output,
                const struct subject *subject)
{
    struct transport_polling *polling = polling_of(connection);
    struct frame_queue *outbox = &connection->outbox;
    const struct mount_settings *settings = &connection->mount->settings;

    switch (output->verb) {
    case EIO_ANSWER_HELD:
        transport_polling_answer_held(polling, output->answer, outbox, settings);
        break;
    case EIO_ANSWER_THIS:
        if (polling && output->answer == EIO_QUEUE)
            transport_polling_watch(polling, subject->exchange);
        polling_answer(connection->services->polling, subject->exchange, output->answer,
                       outbox, settings);
        break;
    case EIO_ANSWER_POST:
        transport_polling_answer_post(polling, output->answer, settings);
        break;
    case EIO_CUT_POST: transport_polling_cut_post(polling); break;
    case EIO_HOLD: transport_polling_hold(polling, subject->exchange); break;
    case EIO_READ: transport_polling_read(polling, subject->exchange); break;
    case EIO_DELIVER: deliver(connection, subject); break;
    case EIO_PING_CLIENT: ping(connection); break;
    case EIO_SEND_PROBE: transport_polling_say(polling, SLICE("3probe")); break;
    case EIO_SWAP: swap(connection); break;
    case EIO_CLOSE_WS: close_websocket(connection); break;
    case EIO_REFUSE_WS: refuse_websocket(subject->websocket); break;
    case EIO_OVER: over(connection); break;
    }
}

static void step_with(struct connection *connection, enum eio_event event,
                      const struct subject *subject)
{
    struct eio_session *session = &connection->engineio->session;
    /* Its beat is then its end, which is due already. */
    bool was_over = eio_session_state(session) == EIO_CLOSED;
    struct eio_todo todo;

    if (event == EIO_POSTED_PONG || event == EIO_WS_PONG)
        proving_ponged(connection);
    eio_session_step(session, event, connection->outbox.count > 0, clock_ms(), &todo);
    if (!was_over)
        connection_set_beat(connection, todo.due_ms);
    if (polling_of(connection))
        connection->transport->is_blocked = !eio_session_is_writable(session);
    bool has_queue = connection->outbox.count > 0;
    for (unsigned i = 0; i < todo.count; i++)
        act(connection, &todo.list[i], subject);
    if (has_queue && connection->state == CONNECTION_OPEN)
        connection_emptied(connection);
}

static void step(struct connection *connection, enum eio_event event)
{
    static const struct subject nothing;

    step_with(connection, event, &nothing);
}

/* --- a connection's life */

static bool remember(struct connection *connection)
{
    struct client_services *services = connection->services;
    struct engineio *engineio = calloc(1, sizeof *engineio);
    char text[LIMIT_EIO_SID_BYTES + 1];

    if (!engineio)
        return false;
    memcpy(text, services->gateway_mark, 2);
    random_text(text + 2, LIMIT_EIO_SID_BYTES - 2);
    memcpy(engineio->sid, text, LIMIT_EIO_SID_BYTES);
    if (str_map_put(&services->eio_sids,
                    (struct slice){engineio->sid, LIMIT_EIO_SID_BYTES}, connection)) {
        free(engineio);
        return false;
    }
    connection->engineio = engineio;
    eio_session_init(&engineio->session, &connection->mount->eio,
                     !engineio_is_polling(connection), clock_ms());
    connection_set_beat(connection, eio_session_due_ms(&engineio->session));
    return true;
}

void engineio_open(struct connection *connection)
{
    const struct mount_settings *settings = &connection->mount->settings;
    struct buf *out = services_scratch(connection->services);

    if (!remember(connection)) {
        connection_close(connection, CLOSE_UNAVAILABLE);
        return;
    }
    struct eio_handshake handshake = {
        .sid = {connection->engineio->sid, LIMIT_EIO_SID_BYTES},
        .may_upgrade =
            engineio_is_polling(connection) && connection->mount->eio.may_upgrade,
        .ping_interval_ms = settings->ping_interval_ms,
        .ping_timeout_ms = settings->ping_timeout_ms,
        .max_payload = settings->max_message_bytes,
    };
    eio_encode_open(out, &handshake);
    connection_send_buf(connection, out);
    connection->dialect->messages->on_open(connection);
}

/* The pong may have been here for long: what came to a late loop is read first. */
static void excuse(struct connection *connection)
{
    struct eio_session *session = &connection->engineio->session;
    uint64_t now_ms = clock_ms();

    if (!eio_session_waits_for_pong(session, now_ms))
        return;
    uint64_t excuse_ms = connection_excuse_ms(connection);
    if (excuse_ms > 0)
        eio_session_extend(session, now_ms + excuse_ms);
}

void engineio_due(struct connection *connection)
{
    if (eio_session_state(&connection->engineio->session) == EIO_CLOSED) {
        connection_destroy(connection);
        return;
    }
    excuse(connection);
    step(connection, EIO_DUE);
}

/* Nobody comes to be told: whoever never connected, and all once no door is open. */
static bool is_forgotten_at_once(enum close_reason reason)
{
    return reason == CLOSE_CONNECT_TIMEOUT || reason == CLOSE_PING_TIMEOUT ||
           reason == CLOSE_STOP;
}

void engineio_close(struct connection *connection, enum close_reason reason)
{
    step(connection, is_forgotten_at_once(reason) ? EIO_ABANDON : EIO_SHUT);
}

void engineio_finish(struct connection *connection)
{
    if (!connection->engineio)
        return;
    forget(connection);
    free(connection->engineio);
    connection->engineio = NULL;
}

/* --- packets */

static struct subject message_of(const struct eio_packet *packet)
{
    return (struct subject){
        .message = packet->data,
        .form = packet->type == EIO_BINARY ? BASE64 : TEXT,
    };
}

void engineio_text(struct connection *connection, struct slice text)
{
    struct eio_packet packet = {0};
    enum eio_event event = eio_event_heard(text, &packet);
    const struct subject subject = message_of(&packet);

    step_with(connection, event, &subject);
}

void engineio_binary(struct connection *connection, struct slice bytes)
{
    const struct subject subject = {.message = bytes, .form = BYTES};

    step_with(connection, EIO_WS_MESSAGE, &subject);
}

void engineio_send_text(struct connection *connection, struct slice message)
{
    struct buf *out = services_scratch(connection->services);

    eio_encode(out, EIO_MESSAGE, message);
    connection_send_buf(connection, out);
}

void engineio_send_binary(struct connection *connection, struct slice bytes)
{
    connection_send_message(connection, WS_OP_BINARY, bytes);
}

/* --- requests */

void engineio_poll(struct connection *connection, struct http_exchange *exchange)
{
    const struct subject subject = {.exchange = exchange};

    step_with(connection, EIO_POLL, &subject);
}

void engineio_post(struct connection *connection, struct http_exchange *exchange,
                   bool is_stream)
{
    const struct subject subject = {.exchange = exchange};

    step_with(connection, is_stream ? EIO_POST_BINARY : EIO_POST, &subject);
}

bool engineio_is_posting(const struct connection *connection,
                         const struct http_exchange *exchange)
{
    const struct transport_polling *polling = polling_of(connection);

    return polling && polling->post == exchange;
}

static void take_packet(struct connection *connection, struct slice text)
{
    struct eio_packet packet = {0};
    enum eio_event event = eio_event_posted(text, &packet);
    const struct subject subject = message_of(&packet);

    step_with(connection, event, &subject);
}

void engineio_posted(struct connection *connection, struct slice body)
{
    struct eio_session *session = &connection->engineio->session;
    struct transport_polling *polling = polling_of(connection);
    struct eio_payload payload = {body, true};
    struct slice text;

    step(connection, EIO_POST_BODY);
    polling->is_taking = true;
    while (eio_session_is_open(session) && eio_payload_next(&payload, &text))
        take_packet(connection, text);
    polling->is_taking = false;
    step(connection, EIO_POST_DONE);
    step(connection, EIO_QUEUED);
}

void engineio_post_is_large(struct connection *connection)
{
    step(connection, EIO_POST_TOO_LARGE);
}

void engineio_poll_is_lost(struct connection *connection)
{
    step(connection, EIO_POLL_LOST);
}

void engineio_poll_is_gone(struct connection *connection)
{
    step(connection, EIO_POLL_ABORTED);
}

void engineio_post_is_gone(struct connection *connection)
{
    step(connection, EIO_POST_ABORTED);
}

void engineio_queued(struct connection *connection)
{
    step(connection, EIO_QUEUED);
}

/* --- a WebSocket that wants to take over */

void engineio_join(struct connection *connection, struct transport *websocket,
                   struct peer_guest *guest)
{
    const struct subject subject = {.websocket = websocket};

    websocket->owner = connection;
    step_with(connection, EIO_WS_OPENED, &subject);
    if (!websocket->owner) {
        peer_guest_leave(guest);
        return;
    }
    struct transport_polling *polling = polling_of(connection);
    polling->probe = websocket;
    polling->probe_guest = guest;
    polling->probe_len = 0;
}

void engineio_probed(struct connection *connection, struct slice piece, bool is_binary,
                     bool is_final)
{
    struct transport_polling *polling = polling_of(connection);
    struct slice text = {polling->probe_text, polling->probe_len + piece.len};
    struct eio_packet packet;

    if (is_binary || text.len > PROBE_BYTES) {
        step(connection, EIO_WS_MESSAGE);
        return;
    }
    memcpy(polling->probe_text + polling->probe_len, piece.ptr, piece.len);
    polling->probe_len = is_final ? 0 : (uint8_t)text.len;
    if (is_final)
        step(connection, eio_event_heard(text, &packet));
}

void engineio_probe_is_gone(struct connection *connection)
{
    struct transport_polling *polling = polling_of(connection);

    polling->probe = NULL;
    peer_guest_leave(polling->probe_guest);
    polling->probe_guest = NULL;
    step(connection, EIO_WS_GONE);
}

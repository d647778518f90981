/*
 * The native dialect, version 1: one JSON object per text frame (docs/protocol.md). For
 * plain WebSockets, without a client library.
 */
#include "client-gw/welcome.h"
#include "proto/auth_rules.h"
#include "proto/binary.h"
#include "proto/namespace_rules.h"
#include "proto/sio.h"

#include <stdlib.h>
#include <string.h>

static const struct slice root = {"/", 1};

/* An error that answers no message in particular, and the end of the connection. */
static void fail(struct connection *connection, const char *code, const char *message,
                 const char *reason, enum close_reason close)
{
    struct buf *out = services_scratch(connection->services);
    struct native_error error = {
        .code = slice_of(code),
        .message = slice_of(message),
        .reason = slice_of(reason),
    };

    native_encode_error(out, &error);
    connection_send_buf(connection, out);
    connection_close(connection, close);
}

static void refuse(struct connection *connection, enum refusal refusal)
{
    enum status st = services_refusal_status(refusal);

    enum close_reason close = CLOSE_UNAUTHORIZED;

    if (st == ST_FORBIDDEN)
        close = CLOSE_FORBIDDEN;
    else if (refusal == REFUSAL_LIMIT)
        close = CLOSE_LIMIT;
    else if (status_is_passing(st))
        close = CLOSE_UNAVAILABLE;
    fail(connection, status_code(st),
         auth_refusal_text(auth_rules_refusals(connection->services->system->auth),
                           refusal)
             .ptr,
         refusal_reason(refusal), close);
}

/* --- connecting --- */

/* Why a client that came back has another session; empty: it did not, or it has its own.
 */
static struct slice reason_of(const struct session *session, bool came_back)
{
    const char *reason =
        recovery_reason_text((enum recovery_reason)session->return_reason);

    if (!came_back || session->is_recovered)
        return (struct slice){0};
    return *reason ? slice_of(reason) : SLICE("unknown_session");
}

static void say_connected(struct session *session, bool came_back)
{
    struct connection *connection = session->connection;
    struct client_services *services = connection->services;
    struct buf *out = services_scratch(services);
    struct slice rooms[LIMIT_ANSWERED_ROOMS];
    char text[LIMIT_POSITION_BYTES + 1];
    struct position at;

    services->engine->ops->head(services->engine, &at);
    at.seq = session_position(session);
    size_t count = session_rooms(session, rooms, LIMIT_ANSWERED_ROOMS);
    struct native_connected said = {
        .session = slice_of(session->pid),
        .sid = slice_of(session->sid),
        .user = claims_user(session->claims),
        .rooms = rooms,
        .room_count = count < LIMIT_ANSWERED_ROOMS ? count : LIMIT_ANSWERED_ROOMS,
        .recovered = session->is_recovered,
        .reason = reason_of(session, came_back),
        .position = {text, position_print(&at, text)},
        .ping_interval_ms = connection->mount->settings.ping_interval_ms,
    };
    native_encode_connected(out, &said);
    connection_send_answer(session, out);
}

static void connected(struct session *session, enum status status, void *ctx)
{
    struct connection *connection = session->connection;

    (void)ctx;
    if (status == ST_NOT_FOUND)
        return;
    if (status == ST_LIMIT) {
        refuse(connection, REFUSAL_LIMIT);
        return;
    }
    if (status) {
        connection_close(connection, CLOSE_UNAVAILABLE);
        return;
    }
    connection_has_session(connection);
    session->is_answered = true;
    say_connected(session, connection->arrival && connection->arrival->session);
    arrival_destroy(connection->arrival);
    connection->arrival = NULL;
    if (session->connection)
        welcome_greet(session);
}

/* The namespace that this dialect lives in may be closed to everybody. */
static bool is_closed(struct connection *connection)
{
    const struct namespace_rule *rule =
        namespace_rules_find(connection->services->system->namespaces, root);

    if (!rule->refusal)
        return false;
    fail(connection, status_code(ST_FORBIDDEN),
         namespace_refusal_message(rule->refusal).ptr, "forbidden", CLOSE_FORBIDDEN);
    return true;
}

/* Takes `claims`; `message` is NULL where the handshake connects. */
static void open_session(struct connection *connection, struct claims *claims,
                         const struct native_message *message)
{
    char hint[160] = "";
    struct welcome_guest guest = {
        .connection = connection, .nsp = root, .name = root, .claims = claims};

    guest.is_recoverable =
        namespace_rules_find(connection->services->system->namespaces, root)->recovers;
    guest.pid = slice_of(connection->arrival->session);
    guest.position = slice_of(connection->arrival->position);
    if (message) {
        guest.auth = message->data;
        guest.rooms = message->rooms;
        guest.room_count = message->room_count;
    }
    if (is_closed(connection)) {
        claims_drop(claims);
        return;
    }
    enum refusal refusal = welcome_open(connection->services, &guest, connected, hint);
    if (refusal == REFUSAL_UNAVAILABLE)
        connection_close(connection, CLOSE_UNAVAILABLE);
    else if (refusal)
        refuse(connection, refusal);
}

static void on_open(struct connection *connection)
{
    struct arrival *arrival = connection->arrival;

    connection_await_session(connection);
    if (arrival->claims)
        open_session(connection, claims_share(arrival->claims), NULL);
}

/* False: one of the rooms may not be joined; the connection has been told and closes. */
static bool may_join_all(struct connection *connection, const struct claims *claims,
                         const struct native_message *message)
{
    for (size_t i = 0; i < message->room_count; i++) {
        struct room_key key;
        if (room_target_decode(root, message->rooms[i], &key) || key.kind != ROOM_NAMED) {
            fail(connection, "E_BAD_TARGET", "`rooms` has what is not the name of a room",
                 "", CLOSE_MALFORMED);
            return false;
        }
        if (!services_may_join(connection->services, claims, &key)) {
            fail(connection, "E_FORBIDDEN", "the token does not grant one of `rooms`",
                 "forbidden", CLOSE_FORBIDDEN);
            return false;
        }
    }
    return true;
}

/* The message's own is worth more than what the handshake brought. False: out of memory.
 */
static bool keep_session(struct arrival *arrival, const struct native_message *message)
{
    if (message->session.len == 0)
        return true;
    free(arrival->session);
    free(arrival->position);
    arrival->session = slice_dup(message->session);
    arrival->position = slice_dup(message->position);
    return arrival->session && arrival->position;
}

static void handle_connect(struct connection *connection,
                           const struct native_message *message)
{
    struct client_services *services = connection->services;
    const struct auth_found none = {0};
    struct claims *claims = NULL;
    char hint[160] = "";
    struct slice token =
        auth_sources_in_connect(auth_rules_sources(services->system->auth),
                                message->token, message->data, &none, &services->strings);
    enum refusal refusal = services_admit(services, token, &claims, hint);

    if (refusal) {
        refuse(connection, refusal);
        return;
    }
    connection->wants_pings = message->ping;
    if (!keep_session(connection->arrival, message)) {
        claims_drop(claims);
        connection_close(connection, CLOSE_UNAVAILABLE);
        return;
    }
    if (may_join_all(connection, claims, message))
        open_session(connection, claims, message);
    else
        claims_drop(claims);
}

/* --- commands --- */

static void run(const struct command_call *call, struct slice name)
{
    if (call->session->state == SESSION_OPEN)
        command_run(call, name);
    else
        welcome_event(call, name);
}

/* A command of the dialect is the event of that name with one argument: the message
 * itself. */
static void run_named(struct session *session, const struct native_message *message,
                      const char *name, struct slice text)
{
    const char *object =
        memchr(text.ptr, '{', text.len); /* JSON allows blanks before it */
    struct command_call call = {
        .services = session->connection->services,
        .session = session,
        .args = slice_from(text, (size_t)(object - text.ptr)),
        .ack = {.is_wanted = message->has_n, .id = message->n},
    };

    run(&call, slice_of(name));
}

static void handle_emit(struct session *session, const struct native_message *message)
{
    struct command_call call = {
        .services = session->connection->services,
        .session = session,
        .args = message->args.len ? sio_array_items(message->args) : message->data,
        .ack = {.is_wanted = message->has_n, .id = message->n},
    };

    call.ack.has_binary = binary_count(call.args) > 0;
    run(&call, message->event);
}

static void handle_message(struct connection *connection,
                           const struct native_message *message, struct slice text)
{
    struct session *session = connection->sessions;
    bool is_open = session && session_is_answered(session);

    if (message->type == NATIVE_PONG)
        return;
    if (message->type == NATIVE_CONNECT && !session && connection->arrival) {
        handle_connect(connection, message);
        return;
    }
    if (!is_open || message->type == NATIVE_CONNECT) {
        fail(connection, "E_BAD_REQUEST",
             session && is_open ? "`connect` was already answered"
                                : "wait for `connected` before anything but `connect`",
             "", CLOSE_MALFORMED);
        return;
    }
    switch (message->type) {
    case NATIVE_SUBSCRIBE: run_named(session, message, "subscribe", text); break;
    case NATIVE_UNSUBSCRIBE: run_named(session, message, "unsubscribe", text); break;
    case NATIVE_REFRESH: run_named(session, message, "auth:refresh", text); break;
    case NATIVE_EMIT: handle_emit(session, message); break;
    case NATIVE_CONNECT:
    case NATIVE_PONG: break;
    }
}

static void on_text(struct connection *connection, struct slice text)
{
    struct native_message message;
    char detail[NATIVE_DETAIL_BYTES] = "";

    /* Any frame is a sign of life. */
    connection_is_alive(connection);
    enum status st = native_decode(text, &json_limits_default,
                                   &connection->services->native, &message, detail);
    if (st)
        fail(connection, status_code(st), detail, "",
             status_is_passing(st) ? CLOSE_UNAVAILABLE : CLOSE_MALFORMED);
    else
        handle_message(connection, &message, text);
}

static void on_binary(struct connection *connection, struct slice bytes)
{
    (void)bytes;
    connection_close(connection, CLOSE_UNSUPPORTED);
}

/* --- what we say --- */

static void ping(struct connection *connection)
{
    /* Not empty: the library tells nobody of an empty pong, and a pong repeats the ping.
     */
    struct frame *frame = frame_create(WS_OP_PING, SLICE("beat"));

    if (frame)
        connection_send(connection, frame);
    frame_drop(frame);
    if (connection->wants_pings && connection->state == CONNECTION_OPEN) {
        struct buf *out = services_scratch(connection->services);
        native_encode_ping(out);
        connection_send_buf(connection, out);
    }
}

static struct frame *make_event(const struct event_view *event, struct buf *scratch)
{
    const struct envelope *envelope = event->envelope;
    struct native_event said = {
        .event_json = envelope->event_json,
        .room = event->room,
        .data = envelope->data,
        .args = envelope->args,
        .id = envelope->id,
        .at_ms = envelope->at_ms,
        .position = event->position,
    };

    native_encode_event(scratch, &said);
    return frame_create_text(scratch);
}

/* One argument is `data`, several are `args`; acks are not asked for in this dialect. */
static struct frame *make_emit(const struct emit_view *emit, struct buf *scratch)
{
    struct json_cursor cursor = {0};
    struct json_value first = {0}, second;
    struct buf args = {.max = emit->args.len + 2};
    struct native_event said = {
        .event_json = emit->event_json,
        .id = emit->id,
        .at_ms = emit->at_ms,
    };

    json_list_next(emit->args, &cursor, &first);
    if (json_list_next(emit->args, &cursor, &second)) {
        buf_add_byte(&args, '[');
        buf_add(&args, emit->args);
        buf_add_byte(&args, ']');
        said.args = buf_slice(&args);
    } else {
        said.data = first.text;
    }
    native_encode_event(scratch, &said);
    struct frame *frame = buf_status(&args) ? NULL : frame_create_text(scratch);
    buf_finish(&args);
    return frame;
}

static void send_ack(struct session *session, struct ack ack, struct slice args)
{
    struct buf *out = services_scratch(session->connection->services);
    struct json_cursor cursor = {0};
    struct json_value first = {0};

    json_list_next(args, &cursor, &first);
    native_encode_ack(out, ack.id, first.text);
    connection_send_buf(session->connection, out);
}

static void send_error(struct session *session, const struct client_error *told)
{
    struct buf *out = services_scratch(session->connection->services);
    struct native_error error = {.code = slice_of(told->code), .message = told->message};

    native_encode_error(out, &error);
    connection_send_buf(session->connection, out);
}

static void send_expiring(struct session *session, uint64_t in_ms)
{
    struct buf *out = services_scratch(session->connection->services);

    native_encode_expiring(out, in_ms);
    connection_send_buf(session->connection, out);
}

static void send_reset(struct session *session, const char *reason, struct slice position)
{
    struct buf *out = services_scratch(session->connection->services);
    struct slice everything = SLICE("*");

    native_encode_resync(out, &everything, 1, slice_of(reason), position);
    connection_send_buf(session->connection, out);
}

static void send_drain(struct connection *connection, uint64_t in_ms)
{
    struct buf *out = services_scratch(connection->services);

    if (!session_is_answered(connection->sessions))
        return;
    native_encode_drain(out, in_ms);
    connection_send_buf(connection, out);
}

static void send_end(struct session *session)
{
    /* The close code says it. */
    (void)session;
}

const struct dialect dialect_native = {
    .name = "native",
    .any_frame_is_life = true,
    .on_open = on_open,
    .on_text = on_text,
    .on_binary = on_binary,
    .on_deadline = welcome_due,
    .ping = ping,
    .make_event = make_event,
    .make_emit = make_emit,
    .send_ack = send_ack,
    .send_error = send_error,
    .send_expiring = send_expiring,
    .send_reset = send_reset,
    .send_drain = send_drain,
    .send_end = send_end,
};

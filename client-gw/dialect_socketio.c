/*
 * Socket.IO v5, the dialect of the unmodified socket.io-client: every packet is one
 * message of Engine.IO.
 */
#include "bridge/clock.h"
#include "client-gw/attachments.h"
#include "client-gw/beats.h"
#include "client-gw/engineio.h"
#include "client-gw/recovery.h"
#include "client-gw/welcome.h"
#include "proto/auth_rules.h"
#include "proto/namespace_rules.h"

#include <stdio.h>
#include <string.h>

enum {
    CONNECTS = 2 * LIMIT_NAMESPACES, /* of one connection in the window */
    CONNECTS_WINDOW_MS = 10000,
    DATA_BYTES =
        2048, /* of what goes with an error: codes, and a sentence with its escapes */
};

/* Later CONNECTs may need what the handshake brought, if it brought anything. */
static void keep_tokens(struct connection *connection)
{
    const struct arrival *arrival = connection->arrival;

    if (arrival->token)
        return;
    arrival_destroy(connection->arrival);
    connection->arrival = NULL;
}

static void on_open(struct connection *connection)
{
    connection_await_session(connection);
    keep_tokens(connection);
}

/* --- CONNECT --- */

/* The token of this CONNECT: of its payload, or what the handshake brought. */
static struct slice pick_token(struct connection *connection, struct slice payload)
{
    struct client_services *services = connection->services;
    const struct arrival *arrival = connection->arrival;
    struct auth_found carried = {0};

    if (arrival && arrival->token)
        carried = (struct auth_found){slice_of(arrival->token), arrival->token_rank};
    return auth_sources_in_connect(auth_rules_sources(services->system->auth),
                                   (struct slice){0}, payload, &carried,
                                   &services->strings);
}

static void refuse(struct connection *connection, struct slice nsp, enum refusal refusal,
                   const char *hint)
{
    struct client_services *services = connection->services;
    const struct auth_refusals *refusals = auth_rules_refusals(services->system->auth);
    struct slice text = auth_refusal_text(refusals, refusal);
    struct buf data = {.max = DATA_BYTES};
    const struct template_values values = {
        .code = slice_of(status_code(services_refusal_status(refusal))),
        .message = text,
        .conn_transport = slice_of(connection->transport->ops->name),
        .now_ms = clock_wall_ms(),
    };

    auth_refusal_data(refusals, refusal, slice_of(hint), &values, &data);
    struct buf *out = services_scratch(services);
    sio_encode_refused(out, nsp, text, buf_slice(&data));
    connection_send_buf(connection, buf_status(&data) ? &data : out);
    buf_finish(&data);
}

static void connected(struct session *session, enum status status, void *ctx)
{
    struct connection *connection = session->connection;

    (void)ctx;
    if (status == ST_NOT_FOUND)
        return;
    if (status == ST_LIMIT) {
        refuse(connection, session->voice->name, REFUSAL_LIMIT, "");
        session_close(session, "forced close", SESSION_OVER);
        return;
    }
    if (status) {
        /* Not a refusal: the client is to come back by itself. */
        connection_close(connection, CLOSE_UNAVAILABLE);
        return;
    }
    struct buf *out = services_scratch(connection->services);
    sio_encode_connected(out, session->voice->name, slice_of(session->sid),
                         session->voice->is_recoverable ? slice_of(session->pid)
                                                        : (struct slice){0});
    connection_has_session(connection);
    session->is_answered = true;
    connection_send_answer(session, out);
    if (session->connection)
        welcome_greet(session);
}

/* One that the file closes to everybody. */
static void refuse_all(struct connection *connection, const struct namespace_rule *rule)
{
    struct client_services *services = connection->services;
    struct slice message = namespace_refusal_message(rule->refusal);
    struct buf data = {.max = DATA_BYTES};
    const struct template_values values = {
        .code = slice_of(status_code(ST_FORBIDDEN)),
        .message = message,
        .now_ms = clock_wall_ms(),
    };

    namespace_refusal_data(rule->refusal, &values, &data);
    struct buf *out = services_scratch(services);
    sio_encode_refused(out, rule->name, message, buf_slice(&data));
    connection_send_buf(connection, out);
    buf_finish(&data);
}

static void refuse_unknown(struct connection *connection, struct slice name)
{
    struct buf *out = services_scratch(connection->services);

    sio_encode_refused(out, name, SLICE("Invalid namespace"), (struct slice){0});
    connection_send_buf(connection, out);
}

/* A text of the payload, as it stands: none of those that are asked for has an escape. */
static struct slice plain_text(struct slice payload, const char *key)
{
    struct json_value value = json_object_find(payload, key);

    if (value.type != JSON_GATE_STRING)
        return (struct slice){0};
    return (struct slice){value.text.ptr + 1, value.text.len - 2};
}

/* Where the client says that it is. `null` is none, as some libraries write it; what no
 * server has ever said goes on as it is: no log knows such a place. */
static struct slice offset_of(struct slice payload)
{
    struct json_value value = json_object_find(payload, "offset");
    struct slice text = plain_text(payload, "offset");

    if (value.type == JSON_GATE_NONE || value.type == JSON_GATE_NULL)
        return (struct slice){0};
    return text.len > 0 ? text : value.text;
}

/* Who it is, and a session. */
static void admit(struct connection *connection, const struct namespace_rule *rule,
                  struct slice payload)
{
    struct client_services *services = connection->services;
    struct claims *claims = NULL;
    char hint[160] = "";
    enum refusal refusal =
        services_admit(services, pick_token(connection, payload), &claims, hint);

    if (!refusal) {
        const struct welcome_guest guest = {.connection = connection,
                                            .nsp = rule->real->name,
                                            .name = rule->name,
                                            .is_recoverable = rule->real->recovers,
                                            .pid = plain_text(payload, "pid"),
                                            .position = offset_of(payload),
                                            .keeps_position = true,
                                            .claims = claims,
                                            .auth = payload};
        refusal = welcome_open(services, &guest, connected, hint);
    }
    if (refusal == REFUSAL_UNAVAILABLE) {
        connection_close(connection, CLOSE_UNAVAILABLE);
    } else if (refusal) {
        refuse(connection, rule->name, refusal, hint);
        connection_refused(connection);
    }
}

/* Each one is work for the directory, too: more than any client does in a while, coming
 * and going. */
static bool may_try(struct connection *connection)
{
    static const struct token_rate rate = {CONNECTS, CONNECTS_WINDOW_MS};

    if (token_bucket_take(&connection->connects, &rate, clock_ms()))
        return true;
    connection_close(connection, CLOSE_LIMIT);
    return false;
}

static void handle_connect(struct connection *connection, const struct sio_packet *packet)
{
    const struct namespace_rule *rule =
        namespace_rules_find(connection->services->system->namespaces, packet->nsp);

    if (!may_try(connection))
        return;
    /* Also where a reload has taken the namespace away from under it. */
    if (connection_session(connection, packet->nsp))
        connection_close(connection, CLOSE_PARSE_ERROR);
    else if (!rule)
        refuse_unknown(connection, packet->nsp);
    else if (rule->refusal)
        refuse_all(connection, rule);
    else
        admit(connection, rule, packet->json);
}

/* --- events --- */

/*
 * NULL ends the whole connection: nothing may be sent to a namespace before its CONNECT
 * was answered (socket.io-protocol v5, "Connection to a namespace").
 */
static struct session *open_session(const struct connection *connection, struct slice nsp)
{
    struct session *session = connection_session(connection, nsp);

    return session && session_is_answered(session) ? session : NULL;
}

static void handle_event(struct connection *connection, const struct sio_packet *packet)
{
    struct session *session = open_session(connection, packet->nsp);
    struct slice name_json;
    struct slice args;

    if (!session || sio_event_decode(packet->json, &name_json, &args)) {
        connection_close(connection, CLOSE_PARSE_ERROR);
        return;
    }
    struct command_call call = {
        .services = connection->services,
        .session = session,
        .args = args,
        .ack = {.is_wanted = packet->has_ack,
                .has_binary = packet->type == SIO_BINARY_EVENT,
                .id = packet->ack},
    };
    /* A number names no command of ours, nor does a text that is too long to be decoded
     * here. */
    char memory[1024];
    bool is_text = name_json.ptr[0] == '"' && name_json.len <= sizeof memory;
    struct slice name = is_text ? json_string_decode(name_json, memory) : name_json;
    if (session->state == SESSION_OPEN)
        command_run(&call, name);
    else
        welcome_event(&call, name);
}

static void handle_disconnect(struct connection *connection,
                              const struct sio_packet *packet)
{
    struct session *session = open_session(connection, packet->nsp);

    if (session)
        session_close(session, "client namespace disconnect", SESSION_OVER);
    else
        connection_close(connection, CLOSE_PARSE_ERROR);
}

/* One that nobody waits for is ignored, as the protocol has it. */
static void take_ack(struct connection *connection, const struct sio_packet *packet)
{
    struct session *session = open_session(connection, packet->nsp);
    struct beats *beats = connection->services->beats;

    if (!session) {
        connection_close(connection, CLOSE_PARSE_ERROR);
        return;
    }
    if (packet->has_ack && acks_answer(&session->acks, packet->ack, clock_ms()) && beats)
        beats_ack(beats, session, packet->ack);
}

/* One whole packet, with a payload in which nothing is missing. */
static void handle_packet(struct connection *connection, const struct sio_packet *packet)
{
    switch (packet->type) {
    case SIO_CONNECT: handle_connect(connection, packet); break;
    case SIO_DISCONNECT: handle_disconnect(connection, packet); break;
    case SIO_EVENT:
    case SIO_BINARY_EVENT: handle_event(connection, packet); break;
    case SIO_ACK:
    case SIO_BINARY_ACK: take_ack(connection, packet); break;
    case SIO_CONNECT_ERROR: connection_close(connection, CLOSE_PARSE_ERROR); break;
    }
}

static void on_text(struct connection *connection, struct slice text)
{
    struct sio_packet packet;

    /* Between a binary packet and its attachments there is no room for text. */
    if (attachments_are_due(connection) ||
        sio_decode(text, &json_limits_default, &packet)) {
        connection_close(connection, CLOSE_PARSE_ERROR);
        return;
    }
    if (packet.attachments == 0)
        handle_packet(connection, &packet);
    else if (open_session(connection, packet.nsp))
        attachments_expect(connection, &packet);
    else
        connection_close(connection, CLOSE_PARSE_ERROR);
}

static void on_binary(struct connection *connection, struct slice bytes)
{
    struct sio_incoming *whole = attachments_take(connection, bytes);
    struct buf json = {.max = connection->services->rendering.max};
    struct sio_packet packet;

    if (!whole)
        return;
    sio_incoming_finish(whole, &json, &packet);
    if (buf_status(&json))
        connection_close(connection, CLOSE_TOO_LARGE);
    else
        handle_packet(connection, &packet);
    buf_finish(&json);
    sio_incoming_destroy(whole);
}

/* --- what we say --- */

/* A packet whose `$binary` objects go out as attachments: nothing comes between them. */
static struct frame *make_binary(struct buf *packet)
{
    struct frame_message messages[1 + LIMIT_ATTACHMENTS];
    struct sio_parts parts;

    if (sio_attach(packet, &parts))
        return NULL;
    messages[0] = (struct frame_message){WS_OP_TEXT, parts.text};
    for (size_t i = 0; i < parts.count; i++)
        messages[1 + i] = (struct frame_message){WS_OP_BINARY, parts.attachments[i]};
    return frame_create_of(messages, 1 + parts.count);
}

static struct frame *make_frame(struct buf *packet, bool has_binary)
{
    return has_binary ? make_binary(packet) : frame_create_text(packet);
}

static struct frame *make_event(const struct event_view *event, struct buf *scratch)
{
    const struct envelope *envelope = event->envelope;

    sio_encode_event(scratch, event->nsp, envelope->event_json, envelope->data,
                     envelope->args, event->offset);
    return make_frame(scratch, envelope->flags & ENVELOPE_BINARY);
}

static struct frame *make_emit(const struct emit_view *emit, struct buf *scratch)
{
    if (emit->ack.is_wanted)
        sio_encode_request(scratch, emit->nsp, emit->ack.id, emit->event_json,
                           emit->args);
    else
        sio_encode_event(scratch, emit->nsp, emit->event_json, emit->args,
                         (struct slice){0}, emit->offset);
    return make_frame(scratch, emit->has_binary);
}

static void send_ack(struct session *session, struct ack ack, struct slice args)
{
    struct buf *out = services_scratch(session->connection->services);

    sio_encode_ack(out, session->voice->name, ack.id, args);
    connection_send_own(session->connection, make_frame(out, ack.has_binary));
}

static void send_error(struct session *session, const struct client_error *error)
{
    struct buf *out = services_scratch(session->connection->services);
    struct buf data = {.max = DATA_BYTES};
    char offset[LIMIT_POSITION_BYTES + 1];

    buf_add_text(&data, "{\"code\":");
    buf_add_json_string(&data, slice_of(error->code));
    buf_add_text(&data, ",\"message\":");
    buf_add_json_string(&data, error->message);
    buf_add_text(&data, ",\"meta\":{}}");
    sio_encode_event(out, session->voice->name, error->event_json, buf_slice(&data),
                     (struct slice){0}, session_offset(session, offset));
    connection_send_buf(session->connection, buf_status(&data) ? &data : out);
    buf_finish(&data);
}

static void send_expiring(struct session *session, uint64_t in_ms)
{
    struct client_services *services = session->connection->services;
    struct buf *out = services_scratch(services);
    char args[48];
    char offset[LIMIT_POSITION_BYTES + 1];

    snprintf(args, sizeof args, "{\"in\":%llu}", (unsigned long long)in_ms);
    sio_encode_event(out, session->voice->name, SLICE("\"expiring\""), slice_of(args),
                     (struct slice){0}, session_offset(session, offset));
    connection_send_buf(session->connection, out);
}

static void send_reset(struct session *session, const char *reason, struct slice position)
{
    /* The protocol has no word for it: a new connection, not recovered, says the same. */
    (void)reason;
    (void)position;
    connection_close(session->connection, CLOSE_RESET);
}

static void send_end(struct session *session)
{
    struct buf *out = services_scratch(session->connection->services);

    sio_encode_disconnect(out, session->voice->name);
    connection_send_buf(session->connection, out);
}

static const struct message_ops messages = {
    .on_open = on_open,
    .on_text = on_text,
    .on_binary = on_binary,
};

const struct dialect dialect_socketio = {
    .name = "socketio",
    .messages = &messages,
    .can_ask = true,
    .end_is_final = true,
    .on_open = engineio_open,
    .on_text = engineio_text,
    .on_binary = engineio_binary,
    .on_deadline = welcome_due,
    .make_event = make_event,
    .make_emit = make_emit,
    .send_ack = send_ack,
    .send_error = send_error,
    .send_expiring = send_expiring,
    .send_reset = send_reset,
    .send_end = send_end,
};

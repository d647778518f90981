/*
 * do: relay. An event of a client to everybody in a room, over the log like any other, so
 * that all gateways have it in one order.
 */
#include "client-gw/command.h"

#include "bridge/clock.h"
#include "client-gw/session_op.h"

static bool is_member(const struct session *session, const struct room_key *key)
{
    switch (key->kind) {
    case ROOM_ALL: return true;
    case ROOM_USER: return slice_equal(claims_user(session->claims), key->name);
    case ROOM_NAMED: return session_is_in(session, key->name);
    case ROOM_SOCKET:
    case ROOM_KIND_COUNT: break;
    }
    return false;
}

/* To everybody only where the file says so itself, not where a client spelled it. */
static bool may_relay(const struct command_call *call, const struct room_key *key)
{
    if (key->kind == ROOM_ALL && template_uses(call->rule->room))
        return false;
    return !call->rule->must_be_member || is_member(call->session, key);
}

/* Appends the event as the bus carries it. */
static void encode(const struct command_call *call, const struct room_key *key,
                   struct slice values, struct buf *out)
{
    struct envelope_target target = {key->kind, key->name};
    struct slice self = slice_of(call->session->sid);
    struct json_cursor cursor = {0};
    struct json_value first = {0}, second;
    bool has_many = json_list_next(values, &cursor, &first) &&
                    json_list_next(values, &cursor, &second);
    struct buf args = {.max = values.len + 2};
    struct envelope envelope = {
        .kind = ENVELOPE_EVENT,
        .at_ms = clock_wall_ms(),
        .accepted_us = clock_us(),
        .id = slice_of(services_new_id(call->services)),
        .nsp = call->session->nsp,
        .event = call->rule->event,
        .event_json = call->rule->event_json,
        .targets = &target,
        .target_count = 1,
        .except = &self,
        .except_count = call->rule->except_self,
    };

    if (has_many) {
        buf_add_byte(&args, '[');
        buf_add(&args, values);
        buf_add_byte(&args, ']');
        envelope.args = buf_slice(&args);
    } else {
        envelope.data = first.text;
    }
    envelope_encode(&envelope, out);
    if (buf_status(&args))
        out->failure = buf_status(&args);
    buf_finish(&args);
}

static void publish(const struct command_call *call, const struct room_key *key,
                    struct slice values)
{
    struct engine *engine = call->services->engine;
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    struct command_wait *wait = command_wait_create(call);
    enum status st = wait ? ST_OK : ST_NO_MEMORY;

    encode(call, key, values, &wire);
    if (!st)
        st = buf_status(&wire);
    if (!st) {
        command_wait_hold(wait, call->session);
        st = engine->ops->publish(engine, buf_slice(&wire), false, command_wait_kept,
                                  wait);
    }
    buf_finish(&wire);
    if (!st) {
        metrics_add(call->services->metrics, METRIC_RELAYED, 1);
        return;
    }
    command_wait_destroy(wait);
    command_fail(call, st,
                 st == ST_TOO_LARGE ? "the event is too large"
                                    : "too much is under way; try again");
}

void handle_relay(const struct command_call *call)
{
    struct command_room room;
    struct slice values;

    if (!command_room(call, &room))
        return;
    if (!may_relay(call, &room.key))
        command_fail(call, ST_FORBIDDEN, "only members of the room may do this");
    else if (command_ready(call, (struct slice){room.text, room.len},
                           (struct slice){0}) &&
             command_output(call, &values) &&
             command_keeps_contract(call, call->rule->event, values))
        publish(call, &room.key, values);
}

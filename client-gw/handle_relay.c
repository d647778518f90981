/*
 * do: relay. An event of a client to everybody in a room, over the log like any other, so
 * that all gateways have it in one order.
 */
#include "client-gw/command.h"

#include "bridge/clock.h"
#include "client-gw/session_op.h"
#include "proto/binary.h"

#include <stdio.h>

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
    bool is_in = is_member(call->session, key);
    return (is_in || !call->rule->must_be_member) &&
           services_may_publish(call->services, call->session->claims, key, is_in);
}

/* Puts the event together as a publish would have it; `args` is for several values. */
static enum status compose(const struct command_call *call, const struct room_key *key,
                           struct slice values, struct publish_request *request,
                           struct buf *args)
{
    struct json_cursor cursor = {0};
    struct json_value first = {0}, second;
    bool has_many = json_list_next(values, &cursor, &first) &&
                    json_list_next(values, &cursor, &second);
    bool has_bytes = call->ack.has_binary && binary_count(values) > 0;
    struct envelope *envelope = &request->envelope;

    request->given_flags = 0;
    request->room.targets[0] = (struct envelope_target){key->kind, key->name};
    request->room.except[0] = slice_of(call->session->sid);
    *envelope = (struct envelope){
        .kind = ENVELOPE_EVENT,
        .flags = ENVELOPE_HISTORY | (has_bytes ? ENVELOPE_BINARY : 0u),
        .at_ms = clock_wall_ms(),
        .accepted_us = clock_us(),
        .id = slice_of(services_new_id(call->services)),
        .nsp = call->session->voice->nsp,
        .event = call->rule->event,
        .event_json = call->rule->event_json,
        .targets = request->room.targets,
        .target_count = 1,
        .except = request->room.except,
        .except_count = call->rule->except_self,
    };
    if (!has_many) {
        envelope->data = first.text;
        return ST_OK;
    }
    buf_add_byte(args, '[');
    buf_add(args, values);
    buf_add_byte(args, ']');
    envelope->args = buf_slice(args);
    return buf_status(args);
}

static void fail_catalog(const struct command_call *call, enum status status,
                         const struct contract_report *report,
                         const struct publish_fault *fault)
{
    char message[COMMAND_CONTRACT_BYTES];

    if (report->count > 0)
        metrics_add(call->services->metrics, METRIC_CONTRACT_REFUSED, 1);
    if (report->count == 0)
        snprintf(message, sizeof message, "%s", fault->detail);
    else
        command_contract_message(report, message);
    command_fail(call, status, message);
}

/*
 * What the catalog says of the event holds for one of a client, too: its contract, its
 * flags, its shape. An event that the catalog does not have is named by the command: it
 * goes as it is. False: the call has been answered.
 */
static bool obey_catalog(const struct command_call *call, struct publish_request *request)
{
    const struct event_rules *rules = call->services->system->events;
    struct event_publish *publish = &call->services->publish;
    struct publish_fault fault = {0};

    if (!event_rules_find(rules, call->rule->event, NULL))
        return true;
    services_new_uuid(call->services);
    const struct event_moment moment = {
        .now_ms = request->envelope.at_ms,
        .uuid = slice_of(call->services->uuid),
    };
    enum status st = event_publish_begin(publish, rules, request, &fault);
    if (!st)
        st = event_publish_check(publish, request, &moment, &fault);
    if (!st)
        st = event_publish_shape(publish, request, &moment, &fault);
    if (st)
        fail_catalog(call, st, &publish->report, &fault);
    return st == ST_OK;
}

static void publish(const struct command_call *call, const struct envelope *envelope)
{
    struct engine *engine = call->services->engine;
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    struct command_wait *wait = command_wait_create(call);
    enum status st = wait ? ST_OK : ST_NO_MEMORY;

    envelope_encode(envelope, &wire);
    if (!st)
        st = buf_status(&wire);
    if (!st) {
        command_wait_hold(wait, call->session);
        st = engine->ops->publish(engine, buf_slice(&wire),
                                  envelope->flags & ENVELOPE_VOLATILE, command_wait_kept,
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

static void relay(const struct command_call *call, const struct room_key *key,
                  struct slice values)
{
    struct publish_request *request = &call->services->request;
    struct buf args = {.max = values.len + 2};

    if (compose(call, key, values, request, &args))
        command_fail(call, ST_NO_MEMORY, "out of memory; try again");
    else if (obey_catalog(call, request))
        publish(call, &request->envelope);
    buf_finish(&args);
}

void handle_relay(const struct command_call *call)
{
    struct command_room room;
    struct slice values;

    if (!command_room(call, &room))
        return;
    if (!may_relay(call, &room.key))
        command_fail(call, ST_FORBIDDEN, "this may not be sent into the room by you");
    else if (command_ready(call, (struct slice){room.text, room.len},
                           (struct slice){0}) &&
             command_output(call, &values))
        relay(call, &room.key, values);
}

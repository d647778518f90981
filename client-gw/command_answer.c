/* How commands answer: see command.h. Templates are the rules'; the dialect sends. */
#include "client-gw/command.h"

#include "client-gw/audit.h"
#include "proto/sio_attachments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_BYTES = 400,
};

static const struct ack_rules *acks_of(const struct command_call *call)
{
    return command_rules_acks(call->services->system->commands);
}

/* A template could not be filled in: tells which part of it, in words. */
static void fail_rendering(const struct command_call *call, enum status status,
                           const struct template_failure *failure, enum status said)
{
    struct slice name = slice_first(failure->placeholder, 200);
    char message[MESSAGE_BYTES];

    if (status != ST_BAD_PAYLOAD) {
        command_fail(call, status, "out of memory; try again");
        return;
    }
    snprintf(message, sizeof message, "%.*s %s", (int)name.len, name.ptr,
             failure->reason);
    command_fail(call, said, message);
}

/* --- what a handler needs */

static enum status keep_room(void *ctx, struct slice name)
{
    struct command_room *room = ctx;

    if (name.len > sizeof room->text)
        return ST_BAD_TARGET;
    memcpy(room->text, name.ptr, name.len);
    room->len = name.len;
    return ST_OK;
}

bool command_room(const struct command_call *call, struct command_room *room)
{
    struct template_failure failure = {0};
    struct template_values values;

    command_values(call, &values);
    enum status st =
        template_rooms(call->rule->room, &values, services_rendering(call->services),
                       keep_room, room, &failure);
    struct slice text = {room->text, st ? 0 : room->len};
    if (st && st != ST_BAD_TARGET) {
        fail_rendering(call, st, &failure, ST_BAD_TARGET);
        return false;
    }
    if (!st)
        st = room_target_decode(call->session->voice->nsp, text, &room->key);
    if (st)
        command_fail(call, ST_BAD_TARGET, "this is not the name of a room");
    return st == ST_OK;
}

/* Whether values that are sent as attachments may be. False: the call was answered. */
static bool may_attach(const struct command_call *call, struct slice values)
{
    const char *bad;
    enum status st = call->ack.has_binary ? sio_may_attach(values, &bad) : ST_OK;

    if (st)
        command_fail(call, ST_BAD_PAYLOAD,
                     st == ST_LIMIT ? "too many attachments: at most 10"
                                    : "an object with _placeholder beside attachments");
    return !st;
}

bool command_output(const struct command_call *call, struct slice *values)
{
    struct template_failure failure = {0};
    struct template_values from;

    command_values(call, &from);
    enum status st = command_output_render(
        &call->rule->output, &from, services_rendering(call->services), values, &failure);
    if (st)
        fail_rendering(call, st, &failure, ST_BAD_PAYLOAD);
    return st == ST_OK && may_attach(call, *values);
}

bool command_ready(const struct command_call *call, struct slice room,
                   struct slice result)
{
    struct template_failure failure = {0};
    struct template_values values;
    struct buf *answer = &call->services->answer;
    struct slice rendered;

    buf_clear(answer);
    if (!call->ack.is_wanted)
        return true;
    command_values(call, &values);
    values.room = room;
    values.payload = result;
    enum status st =
        command_output_render(&call->rule->ok, &values, answer, &rendered, &failure);
    if (st) {
        fail_rendering(call, st, &failure, ST_BAD_PAYLOAD);
        return false;
    }
    /* Without the brackets of a list: the values are what is sent. */
    call->services->answer_values = rendered;
    return may_attach(call, rendered);
}

/* --- answers */

void command_succeed(const struct command_call *call)
{
    if (call->ack.is_wanted && call->session->state == SESSION_OPEN)
        call->session->connection->dialect->send_ack(call->session, call->ack,
                                                     call->services->answer_values);
}

/* `error` is {code, message, meta}, under the name that the rules give it. */
static void emit_error(const struct command_call *call, enum status status,
                       const char *message)
{
    struct client_error error = {
        .event_json = ack_rules_error_event(acks_of(call)),
        .code = ack_rules_event_code(acks_of(call), status),
        .message = slice_of(message),
    };

    call->session->connection->dialect->send_error(call->session, &error);
}

void command_fail(const struct command_call *call, enum status status,
                  const char *message)
{
    const struct template *own =
        call->rule ? call->rule->error : ack_rules_error(acks_of(call));
    struct buf *answer = &call->services->answer;
    /* In words: nothing of what was asked goes back as bytes. */
    struct ack ack = {.is_wanted = call->ack.is_wanted, .id = call->ack.id};
    struct template_failure failure;
    struct template_values values;

    metrics_add(call->services->metrics, METRIC_COMMANDS_FAILED, 1);
    audit_failed(call->session, call->name, status);
    if (!session_is_answered(call->session))
        return;
    if (!call->ack.is_wanted) {
        emit_error(call, status, message);
        return;
    }
    command_values(call, &values);
    values.code = slice_of(ack_rules_ack_code(acks_of(call), status));
    values.message = slice_of(message);
    buf_clear(answer);
    if (template_json(own, &values, answer, &failure) || buf_status(answer)) {
        buf_clear(answer);
        template_json(ack_rules_plain_error(acks_of(call)), &values, answer, &failure);
    }
    call->session->connection->dialect->send_ack(call->session, ack, buf_slice(answer));
}

/* --- waiting */

struct command_wait {
    struct client_services *services;
    struct session *session; /* a reference, or NULL */
    struct ack ack;
    size_t name_len;
    size_t answer_len;
    char bytes[]; /* the name, the answer */
};

struct command_wait *command_wait_create(const struct command_call *call)
{
    struct slice answer =
        call->ack.is_wanted ? call->services->answer_values : (struct slice){0};
    struct command_wait *wait = malloc(sizeof *wait + call->name.len + answer.len);

    if (!wait)
        return NULL;
    wait->services = call->services;
    wait->session = NULL;
    wait->ack = call->ack;
    wait->name_len = call->name.len;
    wait->answer_len = answer.len;
    if (call->name.len)
        memcpy(wait->bytes, call->name.ptr, call->name.len);
    if (answer.len)
        memcpy(wait->bytes + call->name.len, answer.ptr, answer.len);
    return wait;
}

void command_wait_destroy(struct command_wait *wait)
{
    if (wait && wait->session)
        session_drop(wait->session);
    free(wait);
}

static const char *why_failed(enum status status)
{
    switch (status) {
    case ST_FORBIDDEN: return "the token does not grant this room any more";
    case ST_TOO_LARGE: return "the event is too large";
    case ST_DRAINING: return "this server is stopping; reconnect";
    default: return "the bus did not answer; try again";
    }
}

void command_wait_done(struct session *session, enum status status, void *ctx)
{
    struct command_wait *wait = ctx;

    if (session->state == SESSION_OPEN) {
        struct slice name = {wait->bytes, wait->name_len};
        struct command_call call = {
            .services = wait->services,
            .session = session,
            .ack = wait->ack,
            .name = name,
            /* By name: the rules may have been replaced in the meantime. */
            .rule = command_rules_find(wait->services->system->commands, name),
        };
        wait->services->answer_values =
            (struct slice){wait->bytes + wait->name_len, wait->answer_len};
        if (status)
            command_fail(&call, status, why_failed(status));
        else
            command_succeed(&call);
    }
    command_wait_destroy(wait);
}

void command_wait_hold(struct command_wait *wait, struct session *session)
{
    wait->session = session_share(session);
}

void command_wait_kept(void *ctx, enum status status, const struct position *position)
{
    struct command_wait *wait = ctx;

    (void)position;
    command_wait_done(wait->session, status, wait);
}

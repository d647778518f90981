/* The table of commands, and how they answer: see the header. */
#include "client-gw/command.h"

#include "proto/json_gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command_row {
    const char *name;
    void (*handle)(const struct command_call *call);
};

static const struct command_row commands[] = {
    {"subscribe",    handle_subscribe  },
    {"unsubscribe",  handle_unsubscribe},
    {"auth:refresh", handle_refresh    },
};

void command_run(const struct command_call *call, struct slice name)
{
    metrics_add(call->services->metrics, METRIC_CLIENT_EVENTS, 1);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (slice_is(name, commands[i].name)) {
            commands[i].handle(call);
            return;
        }
    }
    /* An event that nobody handles is ignored; who asked for an ack is told. */
    if (call->ack.is_wanted)
        command_fail(call, ST_UNKNOWN_EVENT, "nothing here handles this event");
}

/* The dialect encodes into the scratch buffer too: the answer moves out of it first. */
static void send_answer(const struct command_call *call, struct buf *json)
{
    struct slice text = buf_slice(json);
    char *memory = buf_release(json);

    call->session->connection->dialect->send_ack(call->session, call->ack, text);
    free(memory);
}

void command_succeed(const struct command_call *call, struct slice room)
{
    struct buf *out = services_scratch(call->services);

    if (!call->ack.is_wanted)
        return;
    buf_add_text(out, "{\"ok\":true");
    if (room.len) {
        buf_add_text(out, ",\"room\":");
        buf_add_json_string(out, room);
    }
    buf_add_byte(out, '}');
    send_answer(call, out);
}

void command_fail(const struct command_call *call, enum status status,
                  const char *message)
{
    const struct dialect *dialect = call->session->connection->dialect;
    struct buf *out = services_scratch(call->services);

    if (!call->ack.is_wanted) {
        dialect->send_error(call->session, status_code(status), slice_of(message));
        return;
    }
    buf_print(out, "{\"ok\":false,\"error\":\"%s\",\"message\":", status_code(status));
    buf_add_json_string(out, slice_of(message));
    buf_add_byte(out, '}');
    send_answer(call, out);
}

bool command_text_arg(const struct command_call *call, const char *key,
                      struct slice *text)
{
    bool is_object = call->args.len > 0 && call->args.ptr[0] == '{';
    struct json_value value = {0};
    char message[80];

    if (is_object)
        value = json_object_find(call->args, key);
    if (value.type != JSON_GATE_STRING) {
        snprintf(message, sizeof message, "expected one argument: {\"%s\": \"…\"}", key);
        command_fail(call, ST_BAD_PAYLOAD, message);
        return false;
    }
    if (!services_decode(call->services, value.text, text)) {
        command_fail(call, ST_NO_MEMORY, "out of memory; try again");
        return false;
    }
    return true;
}

struct command_wait *command_wait_create(const struct command_call *call,
                                         struct slice room)
{
    struct command_wait *wait = malloc(sizeof *wait);

    if (!wait)
        return NULL;
    wait->services = call->services;
    wait->ack = call->ack;
    wait->room_len = room.len;
    memcpy(wait->room, room.ptr, room.len);
    return wait;
}

void command_wait_done(struct session *session, enum status status, void *ctx)
{
    struct command_wait *wait = ctx;
    struct command_call call = {
        .services = wait->services,
        .session = session,
        .ack = wait->ack,
    };

    if (session->state == SESSION_OPEN) {
        if (status)
            command_fail(&call, status,
                         status == ST_FORBIDDEN
                             ? "the token does not grant this room any more"
                             : "the directory did not answer; try again");
        else
            command_succeed(&call, (struct slice){wait->room, wait->room_len});
    }
    free(wait);
}

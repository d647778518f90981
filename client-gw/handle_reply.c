/* do: reply, do: ack, do: close. What goes back to the caller alone. */
#include "client-gw/command.h"

#include "bridge/clock.h"

void handle_reply(const struct command_call *call)
{
    struct client_services *services = call->services;
    struct connection *connection = call->session->connection;
    char offset[LIMIT_POSITION_BYTES + 1];
    struct emit_view emit = {
        .nsp = call->session->voice->name,
        .event_json = call->rule->event_json,
        .id = slice_of(services_new_id(services)),
        .at_ms = clock_wall_ms(),
        .has_binary = call->ack.has_binary,
    };

    if (!command_output(call, &emit.args) ||
        !command_ready(call, (struct slice){0}, (struct slice){0}))
        return;
    emit.offset = session_offset(call->session, offset);
    connection_send_own(
        connection, connection->dialect->make_emit(&emit, services_scratch(services)));
    command_succeed(call);
}

void handle_ack(const struct command_call *call)
{
    if (command_ready(call, (struct slice){0}, (struct slice){0}))
        command_succeed(call);
}

void handle_close(const struct command_call *call)
{
    if (!command_ready(call, (struct slice){0}, (struct slice){0}))
        return;
    command_succeed(call);
    /* The transport alone: a client that lost it comes back by itself. */
    if (call->session->state == SESSION_OPEN)
        connection_close(call->session->connection, CLOSE_CLIENT);
}

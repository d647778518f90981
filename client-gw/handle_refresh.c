/* do: refresh. Go on as the same user with a newer token, the first argument's `token`.
 */
#include "client-gw/expiry.h"
#include "client-gw/welcome.h"
#include "proto/auth_rules.h"

/* False: there is none, and the call has been answered. */
static bool read_token(const struct command_call *call, struct slice *token)
{
    struct json_cursor cursor = {0};
    struct json_value first = {0}, value = {0};

    if (json_list_next(call->args, &cursor, &first) && first.type == JSON_GATE_OBJECT)
        value = json_object_find(first.text, "token");
    if (value.type != JSON_GATE_STRING) {
        command_fail(call, ST_BAD_PAYLOAD, "\"token\" is missing");
        return false;
    }
    if (services_decode(call->services, value.text, token))
        return true;
    command_fail(call, ST_NO_MEMORY, "out of memory; try again");
    return false;
}

/* The refusal's text, as a client that connects would get it. */
static void refuse(const struct command_call *call, enum refusal refusal)
{
    const struct auth_refusals *refusals =
        auth_rules_refusals(call->services->system->auth);

    command_fail(call, services_refusal_status(refusal),
                 auth_refusal_text(refusals, refusal).ptr);
}

/* Rooms have changed: they are told once the directory has them. */
static void answer_written(const struct command_call *call)
{
    struct command_wait *wait = command_wait_create(call);
    enum status st = session_write(call->session, wait ? command_wait_done : NULL, wait);

    if (wait && !st)
        return;
    command_wait_destroy(wait);
    command_fail(call, ST_NO_MEMORY, "out of memory; try again");
}

void handle_refresh(const struct command_call *call)
{
    struct welcome_rooms rooms = {0};
    struct connection *connection = call->session->connection; /* outlives the session */
    struct claims *claims = NULL;
    struct slice token;
    char hint[160] = "";

    if (!read_token(call, &token))
        return;
    enum refusal refusal = services_verify(call->services, token, &claims, hint);
    if (refusal) {
        refuse(call, refusal);
        connection_refused(connection);
        return;
    }
    if (!slice_equal(claims_user(claims), claims_user(call->session->claims))) {
        claims_drop(claims);
        command_fail(call, ST_FORBIDDEN,
                     "the token is another user's; reconnect with it");
        return;
    }
    refusal = welcome_rooms(call->services, claims, NULL, 0, &rooms, hint);
    if (refusal) {
        claims_drop(claims);
        refuse(call, refusal);
        return;
    }
    bool has_changed = session_refresh(call->session, claims, rooms.names, rooms.count);
    welcome_rooms_finish(&rooms);
    expiry_arm(call->session);
    bool is_ready = command_ready(call, (struct slice){0}, (struct slice){0});
    if (has_changed && !is_ready)
        session_write(call->session, NULL, NULL);
    else if (has_changed)
        answer_written(call);
    else if (is_ready)
        command_succeed(call);
}

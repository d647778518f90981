/* do: join. The room's name comes from the command's template; who may, from its `allow`,
 * the rooms' rules or the token. */
#include "client-gw/catchup.h"
#include "client-gw/command.h"
#include "client-gw/session_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct joining {
    struct client_services *services;
    struct command_wait *wait;
    bool is_new; /* joining twice is joining once */
    size_t room_len;
    char room[];
};

static void joined(struct session *session, enum status status, void *ctx)
{
    struct joining *joining = ctx;

    command_wait_done(session, status, joining->wait);
    if (!status && joining->is_new && session->state == SESSION_OPEN)
        catchup_joined(joining->services, session,
                       (struct slice){joining->room, joining->room_len});
    free(joining);
}

static void join(const struct command_call *call, struct slice room)
{
    struct command_wait *wait = command_wait_create(call);
    struct joining *joining = malloc(sizeof *joining + room.len);
    enum status st = ST_NO_MEMORY;

    if (wait && joining) {
        *joining = (struct joining){call->services, wait,
                                    !session_is_in(call->session, room), room.len};
        memcpy(joining->room, room.ptr, room.len);
        st = session_join(call->session, room, joined, joining);
    }
    if (!st)
        return;
    free(joining);
    command_wait_destroy(wait);
    command_fail(call, st,
                 st == ST_LIMIT ? "a limit of rooms is reached: leave one first"
                                : "out of memory; try again");
}

/* A command's `allow` decides where it is given; a user's own room is that user's only,
 * whatever it says. */
static bool may_join(const struct command_call *call, const struct command_room *room)
{
    struct client_services *services = call->services;
    struct slice spelled = {room->text, room->len};
    struct template_values values;

    if (!call->rule->allow || room->key.kind != ROOM_NAMED)
        if (!services_may_join(services, call->session->claims, &room->key))
            return false;
    if (!call->rule->allow)
        return true;
    command_values(call, &values);
    return command_rule_allows(call->rule, &values, spelled,
                               services_rendering(services));
}

void handle_join(const struct command_call *call)
{
    char message[LIMIT_ROOM_BYTES + 80];
    struct command_room room;

    if (!command_room(call, &room))
        return;
    struct slice spelled = {room.text, room.len};
    if (!may_join(call, &room)) {
        snprintf(message, sizeof message, "the token does not grant room \"%.*s\"",
                 (int)room.len, room.text);
        command_fail(call, ST_FORBIDDEN, message);
        return;
    }
    if (!command_ready(call, spelled, (struct slice){0}))
        return;
    if (room.key.kind == ROOM_NAMED)
        join(call, spelled);
    else
        /* Everybody is in their own user's room and in everybody's by themselves. */
        command_succeed(call);
}

/* subscribe {room}: join a room that the token grants. */
#include "client-gw/command.h"

#include <stdio.h>
#include <stdlib.h>

static void join(const struct command_call *call, struct slice room)
{
    struct command_wait *wait = command_wait_create(call, room);
    enum status st =
        wait ? session_join(call->session, room, command_wait_done, wait) : ST_NO_MEMORY;

    if (st) {
        free(wait);
        command_fail(call, st,
                     st == ST_LIMIT ? "a limit of rooms is reached: leave one first"
                                    : "out of memory; try again");
    }
}

void handle_subscribe(const struct command_call *call)
{
    struct room_key key;
    struct slice room;
    char message[LIMIT_ROOM_BYTES + 80];

    if (!command_text_arg(call, "room", &room))
        return;
    if (room_target_decode(call->session->nsp, room, &key)) {
        command_fail(call, ST_BAD_TARGET, "this is not the name of a room");
    } else if (!services_may_join(call->services, call->session->claims, &key)) {
        snprintf(message, sizeof message, "the token does not grant room \"%.*s\"",
                 (int)room.len, room.ptr);
        command_fail(call, ST_FORBIDDEN, message);
    } else if (key.kind == ROOM_NAMED) {
        join(call, room);
    } else {
        /* Everybody is in their own user's room and in everybody's by themselves. */
        command_succeed(call, room);
    }
}

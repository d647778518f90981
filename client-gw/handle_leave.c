/* do: leave. Leaving a room that one is not in is fine. */
#include "client-gw/command.h"

static void leave(const struct command_call *call, struct slice room)
{
    struct command_wait *wait = command_wait_create(call);
    enum status st =
        wait ? session_leave(call->session, room, command_wait_done, wait) : ST_NO_MEMORY;

    if (st == ST_OK)
        return;
    command_wait_destroy(wait);
    if (st == ST_NOT_FOUND)
        command_succeed(call);
    else
        command_fail(call, st, "out of memory; try again");
}

void handle_leave(const struct command_call *call)
{
    struct command_room room;

    if (!command_room(call, &room))
        return;
    struct slice spelled = {room.text, room.len};
    if (room.key.kind != ROOM_NAMED)
        command_fail(call, ST_BAD_TARGET, "this is not the name of a room");
    else if (command_ready(call, spelled, (struct slice){0}))
        leave(call, spelled);
}

/* unsubscribe {room}: leave a room; leaving one that you are not in is fine. */
#include "client-gw/command.h"

#include <stdlib.h>

static void leave(const struct command_call *call, struct slice room)
{
    struct command_wait *wait = command_wait_create(call, room);
    enum status st =
        wait ? session_leave(call->session, room, command_wait_done, wait) : ST_NO_MEMORY;

    if (st == ST_OK)
        return;
    free(wait);
    if (st == ST_NOT_FOUND)
        command_succeed(call, room);
    else
        command_fail(call, st, "out of memory; try again");
}

void handle_unsubscribe(const struct command_call *call)
{
    struct slice room;

    if (!command_text_arg(call, "room", &room))
        return;
    if (room_name_is_valid(room))
        leave(call, room);
    else
        command_fail(call, ST_BAD_TARGET, "this is not the name of a room");
}

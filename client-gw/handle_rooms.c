/* do: rooms, do: whoami. Answers what the session is, in full. */
#include "client-gw/command.h"

static void add_rooms(const struct session *session, struct buf *out)
{
    struct slice rooms[LIMIT_ANSWERED_ROOMS];
    size_t count = session_rooms(session, rooms, LIMIT_ANSWERED_ROOMS);

    buf_add_byte(out, '[');
    for (size_t i = 0; i < count && i < LIMIT_ANSWERED_ROOMS; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        buf_add_json_string(out, rooms[i]);
    }
    buf_add_byte(out, ']');
}

static void answer(const struct command_call *call, const struct buf *result)
{
    if (buf_status(result))
        command_fail(call, ST_NO_MEMORY, "out of memory; try again");
    else if (command_ready(call, (struct slice){0}, buf_slice(result)))
        command_succeed(call);
}

void handle_rooms(const struct command_call *call)
{
    struct buf *result = services_rendering(call->services);

    add_rooms(call->session, result);
    answer(call, result);
}

void handle_whoami(const struct command_call *call)
{
    struct buf *result = services_rendering(call->services);
    struct slice user = claims_user(call->session->claims);

    buf_print(result, "{\"id\":\"%s\",\"user\":", call->session->sid);
    if (user.len > 0)
        buf_add_json_string(result, user);
    else
        buf_add_text(result, "null");
    buf_add_text(result, ",\"rooms\":");
    add_rooms(call->session, result);
    buf_add_text(result, call->session->is_recovered ? ",\"recovered\":true}"
                                                     : ",\"recovered\":false}");
    answer(call, result);
}

/* The answer to a publish: see the header. */
#include "publisher-api/reply.h"

static void add_target(struct buf *out, const struct envelope_target *target)
{
    char text[LIMIT_USER_BYTES + 8];
    struct buf spelled = {.ptr = text, .cap = sizeof text, .max = sizeof text};

    switch (target->kind) {
    case ROOM_ALL: buf_add_text(out, "\"*\""); return;
    case ROOM_USER:
        buf_add_text(&spelled, "user:");
        buf_add(&spelled, target->name);
        buf_add_json_string(out, buf_slice(&spelled));
        return;
    default: buf_add_json_string(out, target->name); return;
    }
}

void reply_add_rooms(struct buf *out, const struct envelope_target *targets, size_t count)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < count && i < REPLY_MAX_ROOMS; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        add_target(out, &targets[i]);
    }
    buf_add_byte(out, ']');
}

static void add_bool(struct buf *out, const char *key, bool value)
{
    buf_add_text(out, key);
    buf_add_text(out, value ? "true" : "false");
}

static void add_recipients(struct buf *out, const struct reply *reply)
{
    buf_add_text(out, ",\"recipients\":");
    if (reply->has_recipients)
        buf_add_u64(out, reply->recipients);
    else
        buf_add_text(out, "null");
    add_bool(out, ",\"complete\":", reply->complete);
}

static void add_users(struct buf *out, const struct reply *reply)
{
    if (!reply->users.is_known) {
        buf_add_text(out, ",\"users\":{\"online\":null,\"offline\":null}");
        return;
    }
    buf_add_text(out, ",\"users\":{\"online\":");
    buf_add_u64(out, reply->users.online);
    buf_add_text(out, ",\"offline\":");
    buf_add_u64(out, reply->users.offline);
    buf_add_byte(out, '}');
}

void reply_encode(struct buf *out, const struct reply *reply)
{
    char position[LIMIT_POSITION_BYTES + 1];

    position_print(&reply->position, position);
    buf_add_text(out, "{\"id\":");
    buf_add_json_string(out, reply->id);
    buf_add_text(out, ",\"position\":\"");
    buf_add_text(out, position);
    buf_add_text(out, "\",\"durability\":\"");
    buf_add_text(out, reply->durability);
    buf_add_byte(out, '"');
    add_recipients(out, reply);
    add_bool(out, ",\"duplicate\":", reply->duplicate);
    buf_add_text(out, ",\"rooms\":");
    buf_add(out, reply->rooms);
    if (reply->users.is_counted)
        add_users(out, reply);
    if (reply->has_recipients && reply->recipients == 0 && reply->complete)
        buf_add_text(out, ",\"warning\":{\"code\":\"W_NO_RECIPIENTS\",\"detail\":\"No "
                          "client was connected in these rooms when the event was "
                          "accepted. Clients get the events of a room after they have "
                          "joined it.\"}");
    buf_add_byte(out, '}');
}

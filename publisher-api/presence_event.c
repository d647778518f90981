/* Rendering what is told of users: see the header. */
#include "publisher-api/presence_event.h"

enum {
    USER_BYTES = 8 * LIMIT_USER_BYTES,
    ROOMS_BYTES = LIMIT_TARGETS * (LIMIT_ROOM_BYTES + 1),
};

/* One below the other: no name has a line feed. */
static enum status add_room(void *ctx, struct slice name)
{
    struct buf *rooms = ctx;

    buf_add(rooms, name);
    buf_add_byte(rooms, '\n');
    return buf_status(rooms);
}

/* The names stand still by now. */
static enum status read_targets(struct presence_event_maker *maker,
                                struct envelope *envelope)
{
    struct slice rest = buf_slice(&maker->rooms), name;
    struct room_key key;

    while (slice_cut(rest, '\n', &name, &rest)) {
        if (envelope->target_count == LIMIT_TARGETS)
            return ST_LIMIT;
        enum status st = room_target_decode(envelope->nsp, name, &key);
        if (st)
            return st;
        maker->targets[envelope->target_count++] =
            (struct envelope_target){key.kind, key.name};
    }
    envelope->targets = maker->targets;
    return envelope->target_count > 0 ? ST_OK : ST_BAD_TARGET;
}

static void clear(struct presence_event_maker *maker)
{
    buf_clear(&maker->user);
    buf_clear(&maker->payload);
    buf_clear(&maker->room);
    buf_clear(&maker->rooms);
    maker->user.max = USER_BYTES;
    maker->payload.max = LIMIT_PUBLISH_BYTES;
    maker->room.max = ROOMS_BYTES;
    maker->rooms.max = ROOMS_BYTES;
}

static enum status render(struct presence_event_maker *maker,
                          const struct presence_event_parts *parts,
                          const struct presence_event *event,
                          struct template_failure *failure)
{
    buf_add_text(&maker->user, "{\"id\":");
    buf_add_json_string(&maker->user, parts->news->user);
    buf_add_byte(&maker->user, '}');
    const struct template_values values = {
        .user = buf_slice(&maker->user),
        .uuid = parts->uuid,
        .now_ms = parts->now_ms,
        .last_seen_ms = parts->news->last_seen_ms,
    };

    enum status st = template_json(event->payload, &values, &maker->payload, failure);
    if (!st)
        st = presence_rules_rooms(parts->rules, &values, &maker->room, add_room,
                                  &maker->rooms, failure);
    return st ? st : buf_status(&maker->payload);
}

enum status presence_event_make(struct presence_event_maker *maker,
                                const struct presence_event_parts *parts, struct buf *out,
                                struct template_failure *failure)
{
    struct presence_event event =
        presence_rules_event(parts->rules, parts->news->is_online);
    struct envelope envelope = {
        .kind = ENVELOPE_EVENT,
        .at_ms = parts->now_ms,
        .accepted_us = parts->accepted_us,
        .id = parts->id,
        .nsp = parts->news->nsp,
        .event = slice_of(event.name),
        .event_json = slice_of(event.name_json),
        .except = parts->except,
        .except_count = parts->except_count,
    };

    clear(maker);
    enum status st = render(maker, parts, &event, failure);
    if (!st)
        st = read_targets(maker, &envelope);
    if (st)
        return st;
    envelope.data = buf_slice(&maker->payload);
    envelope_encode(&envelope, out);
    return buf_status(out);
}

void presence_event_finish(struct presence_event_maker *maker)
{
    buf_finish(&maker->user);
    buf_finish(&maker->payload);
    buf_finish(&maker->room);
    buf_finish(&maker->rooms);
}

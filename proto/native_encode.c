/* What the server says in the native dialect: see native.h. */
#include "proto/native.h"

static void begin(struct buf *out, const char *type)
{
    buf_add_text(out, "{\"t\":\"");
    buf_add_text(out, type);
    buf_add_byte(out, '"');
}

static void end(struct buf *out)
{
    buf_add_byte(out, '}');
}

static void add_key(struct buf *out, const char *key)
{
    buf_add_text(out, ",\"");
    buf_add_text(out, key);
    buf_add_text(out, "\":");
}

static void add_text(struct buf *out, const char *key, struct slice text)
{
    add_key(out, key);
    buf_add_json_string(out, text);
}

static void add_text_if_any(struct buf *out, const char *key, struct slice text)
{
    if (text.len)
        add_text(out, key, text);
}

static void add_raw_if_any(struct buf *out, const char *key, struct slice json)
{
    if (json.len == 0)
        return;
    add_key(out, key);
    buf_add(out, json);
}

static void add_number(struct buf *out, const char *key, uint64_t value)
{
    add_key(out, key);
    buf_add_u64(out, value);
}

static void add_rooms(struct buf *out, const struct slice *rooms, size_t count)
{
    add_key(out, "rooms");
    buf_add_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        buf_add_json_string(out, rooms[i]);
    }
    buf_add_byte(out, ']');
}

void native_encode_connected(struct buf *out, const struct native_connected *connected)
{
    begin(out, "connected");
    add_text(out, "session", connected->session);
    add_text(out, "sid", connected->sid);
    if (connected->user.len)
        add_text(out, "user", connected->user);
    else
        add_raw_if_any(out, "user", SLICE("null"));
    add_rooms(out, connected->rooms, connected->room_count);
    add_raw_if_any(out, "recovered",
                   connected->recovered ? SLICE("true") : SLICE("false"));
    add_text_if_any(out, "reason", connected->reason);
    add_text(out, "position", connected->position);
    add_number(out, "ping_interval", connected->ping_interval_ms);
    end(out);
}

void native_encode_event(struct buf *out, const struct native_event *event)
{
    begin(out, "event");
    add_raw_if_any(out, "event", event->event_json);
    add_text_if_any(out, "room", event->room);
    add_raw_if_any(out, "data", event->data);
    add_raw_if_any(out, "args", event->args);
    add_text(out, "id", event->id);
    add_number(out, "at", event->at_ms > 0 ? (uint64_t)event->at_ms : 0);
    add_text_if_any(out, "position", event->position);
    end(out);
}

void native_encode_ack(struct buf *out, uint64_t n, struct slice data_json)
{
    begin(out, "ack");
    add_number(out, "n", n);
    add_raw_if_any(out, "data", data_json);
    end(out);
}

void native_encode_error(struct buf *out, const struct native_error *error)
{
    begin(out, "error");
    add_text(out, "code", error->code);
    add_text(out, "message", error->message);
    add_text_if_any(out, "reason", error->reason);
    if (error->has_n)
        add_number(out, "n", error->n);
    end(out);
}

void native_encode_resync(struct buf *out, const struct slice *rooms, size_t room_count,
                          struct slice reason, struct slice position)
{
    begin(out, "resync");
    add_rooms(out, rooms, room_count);
    add_text(out, "reason", reason);
    add_text(out, "position", position);
    end(out);
}

void native_encode_ping(struct buf *out)
{
    begin(out, "ping");
    end(out);
}

void native_encode_drain(struct buf *out, uint64_t in_ms)
{
    begin(out, "drain");
    add_number(out, "in", in_ms);
    end(out);
}

void native_encode_expiring(struct buf *out, uint64_t in_ms)
{
    begin(out, "expiring");
    add_number(out, "in", in_ms);
    end(out);
}

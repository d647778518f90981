/* Native messages: see the header. */
#include "proto/native.h"

#include <stdio.h>

enum {
    WORD_BYTES = 12, /* more than the longest word that means something here */
    IN_CONNECT = 1 << NATIVE_CONNECT,
    IN_MEMBERSHIP = 1 << NATIVE_SUBSCRIBE | 1 << NATIVE_UNSUBSCRIBE,
    IN_EMIT = 1 << NATIVE_EMIT,
    IN_REFRESH = 1 << NATIVE_REFRESH
};

static const char *const type_names[] = {
    [NATIVE_CONNECT] = "connect",         [NATIVE_SUBSCRIBE] = "subscribe",
    [NATIVE_UNSUBSCRIBE] = "unsubscribe", [NATIVE_EMIT] = "emit",
    [NATIVE_REFRESH] = "refresh",         [NATIVE_PONG] = "pong",
};

/* What a decode works on. */
struct reader {
    struct buf *strings;
    struct native_message *message;
};

/* Stores one value; false when it is not of the field's type. */
typedef bool take_fn(struct reader *reader, const struct json_value *value,
                     size_t offset);

struct value_kind {
    take_fn *take;
    const char *expected;
};

struct field {
    const char *name;
    unsigned types;    /* messages that have it */
    unsigned required; /* messages that must have it, and not empty */
    const struct value_kind *kind;
    size_t offset; /* of what it fills in struct native_message */
};

/* Cannot fail: native_decode has made room for all strings of the message. */
static struct slice decode_string(struct buf *strings, struct slice quoted)
{
    char *to = buf_reserve(strings, quoted.len);
    struct slice plain = json_string_decode(quoted, to);

    if (plain.ptr == to)
        buf_grew(strings, plain.len);
    return plain;
}

static struct slice *slice_at(struct reader *reader, size_t offset)
{
    void *field = (char *)reader->message + offset;

    return field;
}

static bool take_text(struct reader *reader, const struct json_value *value,
                      size_t offset)
{
    if (value->type != JSON_GATE_STRING)
        return false;
    *slice_at(reader, offset) = decode_string(reader->strings, value->text);
    return true;
}

static bool take_raw(struct reader *reader, const struct json_value *value, size_t offset)
{
    *slice_at(reader, offset) = value->text;
    return true;
}

static bool take_array(struct reader *reader, const struct json_value *value,
                       size_t offset)
{
    return value->type == JSON_GATE_ARRAY && take_raw(reader, value, offset);
}

static bool take_rooms(struct reader *reader, const struct json_value *value,
                       size_t offset)
{
    struct native_message *message = reader->message;
    struct json_cursor cursor = {0};
    struct json_value item;

    (void)offset;
    if (value->type != JSON_GATE_ARRAY)
        return false;
    while (json_array_next(value->text, &cursor, &item)) {
        if (item.type != JSON_GATE_STRING || message->room_count == LIMIT_MESSAGE_ROOMS)
            return false;
        message->rooms[message->room_count++] = decode_string(reader->strings, item.text);
    }
    return true;
}

static bool take_ping(struct reader *reader, const struct json_value *value,
                      size_t offset)
{
    (void)offset;
    reader->message->ping = value->type == JSON_GATE_TRUE;
    return value->type == JSON_GATE_TRUE || value->type == JSON_GATE_FALSE;
}

static bool take_n(struct reader *reader, const struct json_value *value, size_t offset)
{
    (void)offset;
    reader->message->has_n = true;
    return value->type == JSON_GATE_NUMBER &&
           json_number_to_u64(value->text, &reader->message->n);
}

static const struct value_kind a_string = {take_text, "a string"};
static const struct value_kind any_json = {take_raw, "any JSON"};
static const struct value_kind an_array = {take_array, "an array"};
static const struct value_kind some_rooms = {take_rooms, "at most 64 strings"};
static const struct value_kind a_bool = {take_ping, "true or false"};
static const struct value_kind an_id = {take_n, "an integer, 0 to 2^53-1"};

#define AT(field) offsetof(struct native_message, field)

static const struct field fields[] = {
    {"token",    IN_CONNECT | IN_REFRESH,              IN_REFRESH,    &a_string,   AT(token)   },
    {"session",  IN_CONNECT,                           0,             &a_string,   AT(session) },
    {"position", IN_CONNECT,                           0,             &a_string,   AT(position)},
    {"rooms",    IN_CONNECT,                           0,             &some_rooms, AT(rooms)   },
    {"ping",     IN_CONNECT,                           0,             &a_bool,     AT(ping)    },
    {"data",     IN_CONNECT | IN_EMIT,                 0,             &any_json,   AT(data)    },
    {"room",     IN_MEMBERSHIP,                        IN_MEMBERSHIP, &a_string,   AT(room)    },
    {"event",    IN_EMIT,                              IN_EMIT,       &a_string,   AT(event)   },
    {"args",     IN_EMIT,                              0,             &an_array,   AT(args)    },
    {"n",        IN_MEMBERSHIP | IN_EMIT | IN_REFRESH, 0,             &an_id,      AT(n)       },
};

/* The plain text of a short string; empty for one too long to be a word of ours. */
static struct slice decode_word(struct slice quoted, char plain[6 * WORD_BYTES])
{
    if (quoted.len > 6 * WORD_BYTES)
        return (struct slice){0};
    return json_string_decode(quoted, plain);
}

static struct slice decode_key(const struct json_member *member,
                               char plain[6 * WORD_BYTES])
{
    struct slice quoted = {member->key.ptr - 1, member->key.len + 2};

    return decode_word(quoted, plain);
}

static bool find_type(struct slice object, enum native_type *type)
{
    char plain[6 * WORD_BYTES];
    struct json_cursor cursor = {0};
    struct json_member member;

    while (json_object_next(object, &cursor, &member)) {
        if (!slice_is(decode_key(&member, plain), "t"))
            continue;
        if (member.value.type != JSON_GATE_STRING)
            return false;
        struct slice name = decode_word(member.value.text, plain);
        for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
            if (slice_is(name, type_names[i])) {
                *type = (enum native_type)i;
                return true;
            }
        }
        return false;
    }
    return false;
}

/* NULL: this type of message has no such field. */
static const struct field *find_field(struct slice key, enum native_type type)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if ((fields[i].types & (1u << type)) && slice_is(key, fields[i].name))
            return &fields[i];
    }
    return NULL;
}

static enum status take_fields(struct slice object, struct reader *reader,
                               char detail[NATIVE_DETAIL_BYTES])
{
    char plain[6 * WORD_BYTES];
    struct json_cursor cursor = {0};
    struct json_member member;

    while (json_object_next(object, &cursor, &member)) {
        const struct field *field =
            find_field(decode_key(&member, plain), reader->message->type);
        if (field && !field->kind->take(reader, &member.value, field->offset)) {
            snprintf(detail, NATIVE_DETAIL_BYTES, "\"%s\" must be %s", field->name,
                     field->kind->expected);
            return ST_BAD_PACKET;
        }
    }
    return ST_OK;
}

static enum status check_whole(struct reader *reader, char detail[NATIVE_DETAIL_BYTES])
{
    const struct native_message *message = reader->message;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if ((fields[i].required & (1u << message->type)) &&
            slice_at(reader, fields[i].offset)->len == 0) {
            snprintf(detail, NATIVE_DETAIL_BYTES, "\"%s\" needs \"%s\", %s",
                     type_names[message->type], fields[i].name, fields[i].kind->expected);
            return ST_BAD_PACKET;
        }
    }
    if (message->data.len && message->args.len) {
        snprintf(detail, NATIVE_DETAIL_BYTES, "\"data\" or \"args\", not both");
        return ST_BAD_PACKET;
    }
    return ST_OK;
}

enum status native_decode(struct slice text, const struct json_limits *limits,
                          struct native_memory *memory, struct native_message *message,
                          char detail[NATIVE_DETAIL_BYTES])
{
    struct reader reader = {.strings = &memory->strings, .message = message};
    struct json_value object;
    struct json_fault fault = {0};

    detail[0] = '\0';
    enum status st = json_gate_check(text, limits, &object, &fault);
    if (st == ST_NO_MEMORY)
        return st;
    if (st) {
        snprintf(detail, NATIVE_DETAIL_BYTES, "byte %zu: %s", fault.offset,
                 fault.reason ? fault.reason : "not JSON");
        return ST_BAD_PACKET;
    }
    if (object.type != JSON_GATE_OBJECT) {
        snprintf(detail, NATIVE_DETAIL_BYTES, "a message is a JSON object");
        return ST_BAD_PACKET;
    }

    *message = (struct native_message){0};
    if (!find_type(object.text, &message->type)) {
        snprintf(detail, NATIVE_DETAIL_BYTES,
                 "\"t\" must be connect, subscribe, unsubscribe, emit, refresh or pong");
        return ST_BAD_PACKET;
    }

    /* The strings lie in one piece that must not move: make room for all of them now. */
    buf_clear(reader.strings);
    if (reader.strings->max < text.len)
        reader.strings->max = text.len;
    if (!buf_reserve(reader.strings, text.len))
        return ST_NO_MEMORY;

    st = take_fields(object.text, &reader, detail);
    return st ? st : check_whole(&reader, detail);
}

void native_memory_finish(struct native_memory *memory)
{
    if (memory)
        buf_finish(&memory->strings);
}

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

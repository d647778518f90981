/* The body of a publish: see the header. Targets are read in publish_target.c. */
#include "proto/publish_request.h"

#include "proto/publish_reading.h"
#include "proto/sio.h"
#include "proto/suggest.h"
#include "proto/units.h"
#include "proto/utf8.h"

#include <string.h>

enum {
    MAX_MEMBERS = 32, /* twice what is known: the rest is unknown in any case */
    MAX_QUOTED = 40,  /* of a wrong name, in a message */
};

static enum status take_event(struct publish_reading *reading,
                              const struct json_value *value)
{
    static const char expected[] = "a string of 1-128 bytes without control characters";
    struct envelope *envelope = &reading->request->envelope;

    if (value->type != JSON_GATE_STRING)
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected, "event is not a string");
    struct slice name = publish_string(reading, value->text);
    if (name.len == 0)
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected, "event is empty");
    if (name.len > LIMIT_EVENT_NAME_BYTES)
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected,
                              "event is too long: %zu bytes", name.len);
    if (!utf8_is_plain(name))
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected,
                              "event contains a control character");
    if (event_name_is_reserved(name)) {
        publish_advise(reading,
                       "Clients use this name for their own life cycle: choose another.");
        return publish_refuse(
            reading, ST_BAD_PAYLOAD, "a name that Socket.IO does not reserve",
            "\"%.*s\" is a reserved event name", (int)name.len, name.ptr);
    }
    envelope->event = name;
    envelope->event_json = value->text;
    return ST_OK;
}

static enum status take_data(struct publish_reading *reading,
                             const struct json_value *value)
{
    reading->request->envelope.data = value->text;
    return ST_OK;
}

static enum status take_args(struct publish_reading *reading,
                             const struct json_value *value)
{
    if (value->type != JSON_GATE_ARRAY) {
        publish_advise(reading, "Use \"data\" for an event with one argument.");
        return publish_refuse(reading, ST_BAD_PAYLOAD,
                              "an array: one item for each argument",
                              "args is not an array");
    }
    reading->request->envelope.args = value->text;
    return ST_OK;
}

static enum status take_meta(struct publish_reading *reading,
                             const struct json_value *value)
{
    static const char expected[] = "an object of at most 1KiB";

    if (value->type != JSON_GATE_OBJECT)
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected, "meta is not an object");
    if (value->text.len > LIMIT_META_BYTES)
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected,
                              "meta is too large: %zu bytes", value->text.len);
    reading->request->envelope.meta = value->text;
    return ST_OK;
}

static enum status take_namespace(struct publish_reading *reading,
                                  const struct json_value *value)
{
    struct slice nsp = {0};

    if (value->type == JSON_GATE_STRING)
        nsp = publish_string(reading, value->text);
    if (!namespace_is_valid(nsp)) {
        publish_advise(reading,
                       "Leave namespace out unless clients connect to one of their own.");
        return publish_refuse(reading, ST_BAD_PAYLOAD,
                              "\"/\" or \"/name\": at most 128 bytes, no ',' and no '?'",
                              "namespace is not valid");
    }
    reading->request->envelope.nsp = nsp;
    return ST_OK;
}

static enum status take_id(struct publish_reading *reading,
                           const struct json_value *value)
{
    struct slice id = {0};

    if (value->type == JSON_GATE_STRING)
        id = publish_string(reading, value->text);
    if (!event_id_is_valid(id)) {
        publish_advise(reading,
                       "Leave id out to be given one, or send for instance a UUID.");
        return publish_refuse(reading, ST_BAD_PAYLOAD,
                              "a string of 1-64 of [A-Za-z0-9._:-]", "id is not valid");
    }
    reading->request->envelope.id = id;
    return ST_OK;
}

static enum status take_flag(struct publish_reading *reading,
                             const struct json_value *value, unsigned flag)
{
    unsigned *flags = &reading->request->envelope.flags;

    if (value->type != JSON_GATE_TRUE && value->type != JSON_GATE_FALSE) {
        return publish_refuse(reading, ST_BAD_PAYLOAD, "true or false",
                              "%s is not a boolean", reading->field->name);
    }
    *flags = value->type == JSON_GATE_TRUE ? *flags | flag : *flags & ~flag;
    reading->request->given_flags |= flag;
    return ST_OK;
}

static enum status take_volatile(struct publish_reading *reading,
                                 const struct json_value *value)
{
    return take_flag(reading, value, ENVELOPE_VOLATILE);
}

static enum status take_history(struct publish_reading *reading,
                                const struct json_value *value)
{
    return take_flag(reading, value, ENVELOPE_HISTORY);
}

static enum status take_ttl(struct publish_reading *reading,
                            const struct json_value *value)
{
    static const char expected[] =
        "a duration such as \"250ms\", \"25s\", \"5m\" or \"1h\"";
    const char *reason = "is not a duration: write a string, for instance \"30s\"";
    uint64_t ms = 0;

    if (value->type == JSON_GATE_NUMBER)
        reason = "is a bare number: write a string with its unit, for instance \"30s\"";
    if (value->type != JSON_GATE_STRING ||
        units_parse_duration(publish_string(reading, value->text), &ms, &reason))
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected, "ttl %s", reason);
    if (ms == 0 || ms > UINT32_MAX) {
        publish_advise(reading, "Leave ttl out for an event that does not run out.");
        return publish_refuse(reading, ST_BAD_PAYLOAD, expected,
                              "ttl must be from 1ms to 1193h");
    }
    reading->request->envelope.ttl_ms = (uint32_t)ms;
    return ST_OK;
}

static const struct publish_field fields[] = {
    {"event",     take_event,          0          },
    {"data",      take_data,           0          },
    {"args",      take_args,           0          },
    {"room",      publish_take_one,    ROOM_NAMED },
    {"rooms",     publish_take_list,   ROOM_NAMED },
    {"user",      publish_take_one,    ROOM_USER  },
    {"users",     publish_take_list,   ROOM_USER  },
    {"sockets",   publish_take_list,   ROOM_SOCKET},
    {"all",       publish_take_all,    ROOM_ALL   },
    {"except",    publish_take_except, 0          },
    {"namespace", take_namespace,      0          },
    {"id",        take_id,             0          },
    {"volatile",  take_volatile,       0          },
    {"history",   take_history,        0          },
    {"ttl",       take_ttl,            0          },
    {"meta",      take_meta,           0          },
};

enum {
    FIELDS = sizeof fields / sizeof *fields,
};

/* What other systems call our fields: too far off for a nearest name. */
struct alias {
    const char *name;
    const char *ours;
};

static const struct alias aliases[] = {
    {"idempotency_key", "id"       },
    {"idempotencyKey",  "id"       },
    {"payload",         "data"     },
    {"message",         "data"     },
    {"body",            "data"     },
    {"name",            "event"    },
    {"type",            "event"    },
    {"channel",         "room"     },
    {"channels",        "rooms"    },
    {"topic",           "room"     },
    {"to",              "room"     },
    {"broadcast",       "all"      },
    {"exclude",         "except"   },
    {"socket",          "sockets"  },
    {"nsp",             "namespace"},
};

static const char one_target[] = "exactly one of room, rooms, user, users, sockets, all";

static const struct publish_field *find_field(struct slice name)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (slice_is(name, fields[i].name))
            return &fields[i];
    }
    return NULL;
}

static const char *meant_field(struct slice name)
{
    const char *names[FIELDS];

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (slice_is(name, aliases[i].name))
            return aliases[i].ours;
    }
    for (size_t i = 0; i < FIELDS; i++)
        names[i] = fields[i].name;
    return suggest_nearest(name, names, FIELDS);
}

/* The first characters of `text`: a message must not be cut inside of one. */
static struct slice first_characters(struct slice text, size_t max)
{
    size_t len = 0;

    while (len < text.len) {
        size_t next = utf8_sequence(slice_from(text, len));
        if (next == 0 || len + next > max)
            break;
        len += next;
    }
    return slice_first(text, len);
}

/* RFC 6901 §3: '~' and '/' of a name are written ~0 and ~1. */
static void point_at_unknown(struct publish_reading *reading, struct slice name)
{
    char *pointer = reading->fault->pointer;
    size_t at = 0;

    pointer[at++] = '/';
    for (size_t i = 0; i < name.len; i++) {
        bool is_special = name.ptr[i] == '~' || name.ptr[i] == '/';
        pointer[at++] = is_special ? '~' : name.ptr[i];
        if (is_special)
            pointer[at++] = name.ptr[i] == '~' ? '0' : '1';
    }
    pointer[at] = '\0';
}

_Static_assert(sizeof(((struct publish_fault *)0)->pointer) >= 2 * MAX_QUOTED + 2,
               "a pointer to an unknown field fits");

static enum status refuse_unknown(struct publish_reading *reading, struct slice name)
{
    struct slice shown = first_characters(name, MAX_QUOTED);
    const char *meant = meant_field(name);

    point_at_unknown(reading, shown);
    if (meant)
        publish_advise(reading, "Rename it to \"%s\".", meant);
    else
        publish_advise(reading,
                       "Remove it; what belongs to the event goes into \"data\".");
    return publish_refuse(reading, ST_BAD_PAYLOAD, "only the fields of a publish request",
                          "unknown field \"%.*s\"%s%s%s", (int)shown.len, shown.ptr,
                          meant ? "; did you mean \"" : "", meant ? meant : "",
                          meant ? "\"?" : "");
}

static enum status take_member(struct publish_reading *reading,
                               const struct json_member *member)
{
    /* The raw key stands between its quotes: one byte further on both sides. */
    struct slice quoted = {member->key.ptr - 1, member->key.len + 2};
    struct slice name = publish_string(reading, quoted);
    const struct publish_field *field = find_field(name);

    if (!field)
        return refuse_unknown(reading, name);
    reading->field = field;
    bool is_target = field->take == publish_take_one ||
                     field->take == publish_take_list || field->take == publish_take_all;
    if (is_target && reading->target_field) {
        publish_point_at(reading, field->name);
        publish_advise(reading, "Keep one of them, or send one request for each.");
        return publish_refuse(reading, ST_BAD_TARGET, one_target,
                              "two targets: %s and %s", reading->target_field,
                              field->name);
    }
    if (is_target)
        reading->target_field = field->name;

    enum status st = field->take(reading, &member->value);
    if (st && reading->fault->pointer[0] == '\0')
        publish_point_at(reading, field->name);
    return st;
}

/* What no single field can tell. */
static enum status check_whole(struct publish_reading *reading)
{
    struct publish_request *request = reading->request;
    struct envelope *envelope = &request->envelope;

    if (envelope->event.len == 0) {
        publish_advise(reading, "Send for instance {\"event\":\"task.created\","
                                "\"room\":\"project:7\",\"data\":{}}.");
        return publish_refuse(reading, ST_BAD_PAYLOAD, "a field \"event\"",
                              "event is missing");
    }
    if (envelope->data.len > 0 && envelope->args.len > 0) {
        publish_point_at(reading, "args");
        publish_advise(reading, "Put the value of data into args as its first item.");
        return publish_refuse(reading, ST_BAD_PAYLOAD, "either data or args",
                              "data and args exclude each other");
    }
    if (!reading->target_field && !request->target_is_optional) {
        publish_advise(reading, "Say who gets it, for instance \"room\":\"project:7\".");
        return publish_refuse(reading, ST_BAD_TARGET, one_target,
                              "the target is missing");
    }
    if (envelope->flags & ENVELOPE_VOLATILE)
        envelope->flags &= ~(unsigned)ENVELOPE_HISTORY; /* it is not kept at all */
    publish_drop_repeated(request);
    return publish_find_binary(reading);
}

/* Strings are decoded into memory that must not move: all of the body is room enough. */
static enum status prepare(struct publish_request *request, struct slice body)
{
    request->envelope = (struct envelope){
        .kind = ENVELOPE_EVENT,
        .flags = ENVELOPE_HISTORY,
        .nsp = SLICE("/"),
        .targets = request->room.targets,
        .except = request->room.except,
    };
    request->given_flags = 0;
    if (body.len > LIMIT_PUBLISH_BYTES)
        return ST_TOO_LARGE;
    request->memory.max = LIMIT_PUBLISH_BYTES + 1;
    buf_clear(&request->memory);
    buf_reserve(&request->memory, body.len + 1); /* an empty body gets memory, too */
    return buf_status(&request->memory);
}

static enum status refuse_json(struct publish_reading *reading, enum status status,
                               const struct json_fault *json_fault)
{
    if (status == ST_BAD_PAYLOAD) {
        publish_advise(reading, "Send one object with at least an event and a target.");
        return publish_refuse(reading, status, "a JSON object",
                              "the body is not an object of at most %d fields",
                              MAX_MEMBERS);
    }
    publish_advise(reading, "Build the body with a JSON library, as UTF-8.");
    return publish_refuse(reading, status, "JSON (RFC 8259)", "byte %zu: %s",
                          json_fault->offset, json_fault->reason);
}

enum status publish_request_decode(struct slice body, struct publish_request *request,
                                   struct publish_fault *fault)
{
    struct publish_reading reading = {.request = request, .fault = fault};
    struct json_fault json_fault = {.reason = "not JSON"};
    struct json_member members[MAX_MEMBERS];
    size_t count = 0;

    fault->pointer[0] = fault->detail[0] = fault->expected[0] = fault->hint[0] = '\0';
    enum status st = prepare(request, body);
    if (st == ST_TOO_LARGE) {
        publish_advise(&reading, "Send a reference instead of the content.");
        return publish_refuse(&reading, st, "at most 256KiB", "the body has %zu bytes",
                              body.len);
    }
    if (st)
        return publish_refuse(&reading, st, "", "out of memory");

    st = json_gate_object(body, &json_limits_default, members, MAX_MEMBERS, &count,
                          &json_fault);
    if (st)
        return refuse_json(&reading, st, &json_fault);
    for (size_t i = 0; i < count && !st; i++)
        st = take_member(&reading, &members[i]);
    return st ? st : check_whole(&reading);
}

void publish_request_finish(struct publish_request *request)
{
    if (request)
        buf_finish(&request->memory);
}

bool event_id_is_valid(struct slice id)
{
    if (id.len == 0 || id.len > LIMIT_EVENT_ID_BYTES)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == ':' ||
                       c == '-';
        if (!is_word)
            return false;
    }
    return true;
}

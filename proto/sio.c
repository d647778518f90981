/* Socket.IO packets: see the header. */
#include "proto/sio.h"

#include "proto/limits.h"
#include "proto/utf8.h"

#include <assert.h>

static const uint64_t max_ack_id = (UINT64_C(1) << 53) - 1;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_json_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice trim_json(struct slice text)
{
    while (text.len > 0 && is_json_blank(text.ptr[0]))
        text = slice_from(text, 1);
    while (text.len > 0 && is_json_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Takes the digits that `*rest` begins with; false when there are none. */
static bool take_digits(struct slice *rest, struct slice *digits)
{
    size_t n = 0;

    while (n < rest->len && is_digit(rest->ptr[n]))
        n++;
    *digits = slice_first(*rest, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

bool event_name_is_reserved(struct slice name)
{
    static const char *const reserved[] = {"connect",     "connect_error",
                                           "disconnect",  "disconnecting",
                                           "newListener", "removeListener"};

    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (slice_is(name, reserved[i]))
            return true;
    }
    return false;
}

static enum status decode_attachments(struct slice *rest, struct sio_packet *packet)
{
    struct slice digits;
    uint64_t count;

    if (!take_digits(rest, &digits) || rest->len == 0 || rest->ptr[0] != '-')
        return ST_BAD_PACKET;
    if (!slice_to_u64(digits, &count) || count < 1 || count > LIMIT_ATTACHMENTS)
        return ST_BAD_PACKET;
    packet->attachments = (unsigned)count;
    *rest = slice_from(*rest, 1);
    return ST_OK;
}

static enum status decode_namespace(struct slice *rest, struct sio_packet *packet)
{
    packet->nsp = SLICE("/");
    if (rest->len == 0 || rest->ptr[0] != '/')
        return ST_OK;

    /* Without a comma all of it is the name: "40/custom". */
    slice_cut(*rest, ',', &packet->nsp, rest);

    /* It is repeated in answers, and a text frame must stay UTF-8. */
    return utf8_is_valid(packet->nsp) ? ST_OK : ST_BAD_PACKET;
}

static enum status decode_ack_id(struct slice *rest, struct sio_packet *packet)
{
    struct slice digits;

    packet->has_ack = take_digits(rest, &digits);
    if (!packet->has_ack)
        return ST_OK;
    if (!slice_to_u64(digits, &packet->ack) || packet->ack > max_ack_id)
        return ST_BAD_PACKET;
    return ST_OK;
}

static bool is_event_payload(struct slice array)
{
    /* A reserved name in which each character is escaped has 86 bytes. */
    char plain[128];
    struct json_cursor cursor = {0};
    struct json_value name;

    if (!json_array_next(array, &cursor, &name))
        return false;
    if (name.type == JSON_GATE_NUMBER)
        return true;
    if (name.type != JSON_GATE_STRING)
        return false;
    return name.text.len > sizeof plain ||
           !event_name_is_reserved(json_string_decode(name.text, plain));
}

/* `type` is JSON_GATE_NONE when the packet ends before a payload. */
static bool payload_suits(enum sio_type packet, const struct json_value *payload)
{
    enum json_type type = payload->type;

    switch (packet) {
    case SIO_CONNECT: return type == JSON_GATE_NONE || type == JSON_GATE_OBJECT;
    case SIO_DISCONNECT: return type == JSON_GATE_NONE;
    case SIO_EVENT:
    case SIO_BINARY_EVENT:
        return type == JSON_GATE_ARRAY && is_event_payload(payload->text);
    case SIO_ACK:
    case SIO_BINARY_ACK: return type == JSON_GATE_ARRAY;
    case SIO_CONNECT_ERROR: return type == JSON_GATE_STRING || type == JSON_GATE_OBJECT;
    }
    return false;
}

enum status sio_decode(struct slice text, const struct json_limits *limits,
                       struct sio_packet *packet)
{
    struct json_value payload = {0};
    struct slice rest = slice_from(text, 1);
    enum status st = ST_OK;

    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '6')
        return ST_BAD_PACKET;
    *packet = (struct sio_packet){.type = (enum sio_type)(text.ptr[0] - '0')};

    if (packet->type == SIO_BINARY_EVENT || packet->type == SIO_BINARY_ACK)
        st = decode_attachments(&rest, packet);
    if (!st)
        st = decode_namespace(&rest, packet);
    if (!st)
        st = decode_ack_id(&rest, packet);
    if (!st && rest.len > 0)
        st = json_gate_check(rest, limits, &payload, NULL);
    if (st)
        return st == ST_NO_MEMORY ? st : ST_BAD_PACKET;

    packet->json = payload.text;
    return payload_suits(packet->type, &payload) ? ST_OK : ST_BAD_PACKET;
}

struct slice sio_array_items(struct slice json_array)
{
    json_array = trim_json(json_array);
    assert(json_array.len >= 2 && json_array.ptr[0] == '[');
    return trim_json(slice_first(slice_from(json_array, 1), json_array.len - 2));
}

enum status sio_event_decode(struct slice json_array, struct slice *name_json,
                             struct slice *args)
{
    struct json_cursor cursor = {0};
    struct json_value name;

    json_array = trim_json(json_array);
    if (json_array.len < 2 || json_array.ptr[0] != '[' ||
        !json_array_next(json_array, &cursor, &name))
        return ST_BAD_PACKET;

    const char *after_name = name.text.ptr + name.text.len;
    size_t before = (size_t)(after_name - json_array.ptr);
    struct slice rest = trim_json(slice_from(json_array, before)); /* `,…]` or `]` */

    *name_json = name.text;
    *args = (struct slice){0};
    if (rest.len >= 2 && rest.ptr[0] == ',')
        *args = trim_json(slice_first(slice_from(rest, 1), rest.len - 2));
    return ST_OK;
}

/* "42/custom," or, for the default namespace, "42". */
static void begin(struct buf *out, enum sio_type type, struct slice nsp)
{
    buf_add_byte(out, '4');
    buf_add_byte(out, (char)('0' + (int)type));
    if (slice_is(nsp, "/"))
        return;
    buf_add(out, nsp);
    buf_add_byte(out, ',');
}

void sio_encode_connected(struct buf *out, struct slice nsp, struct slice sid,
                          struct slice pid)
{
    begin(out, SIO_CONNECT, nsp);
    buf_add_text(out, "{\"sid\":");
    buf_add_json_string(out, sid);
    if (pid.len) {
        buf_add_text(out, ",\"pid\":");
        buf_add_json_string(out, pid);
    }
    buf_add_byte(out, '}');
}

void sio_encode_refused(struct buf *out, struct slice nsp, struct slice message,
                        struct slice data_json)
{
    begin(out, SIO_CONNECT_ERROR, nsp);
    buf_add_text(out, "{\"message\":");
    buf_add_json_string(out, message);
    if (data_json.len) {
        buf_add_text(out, ",\"data\":");
        buf_add(out, data_json);
    }
    buf_add_byte(out, '}');
}

static void add_argument(struct buf *out, struct slice raw)
{
    if (raw.len == 0)
        return;
    buf_add_byte(out, ',');
    buf_add(out, raw);
}

void sio_encode_event(struct buf *out, struct slice nsp, struct slice event_json,
                      struct slice data_json, struct slice args_json, struct slice offset)
{
    begin(out, SIO_EVENT, nsp);
    buf_add_byte(out, '[');
    buf_add(out, event_json);
    add_argument(out, data_json);
    if (args_json.len)
        add_argument(out, sio_array_items(args_json));
    if (offset.len) {
        buf_add_byte(out, ',');
        buf_add_json_string(out, offset);
    }
    buf_add_byte(out, ']');
}

void sio_encode_request(struct buf *out, struct slice nsp, uint64_t ack_id,
                        struct slice event_json, struct slice args)
{
    begin(out, SIO_EVENT, nsp);
    buf_add_u64(out, ack_id);
    buf_add_byte(out, '[');
    buf_add(out, event_json);
    add_argument(out, args);
    buf_add_byte(out, ']');
}

void sio_encode_ack(struct buf *out, struct slice nsp, uint64_t ack_id, struct slice args)
{
    begin(out, SIO_ACK, nsp);
    buf_add_u64(out, ack_id);
    buf_add_byte(out, '[');
    buf_add(out, args);
    buf_add_byte(out, ']');
}

void sio_encode_disconnect(struct buf *out, struct slice nsp)
{
    begin(out, SIO_DISCONNECT, nsp);
}

/* Engine.IO packets: see the header. */
#include "proto/eio.h"

#include "proto/base64.h"

static const char type_bytes[] = {
    [EIO_OPEN] = '0',    [EIO_CLOSE] = '1',   [EIO_PING] = '2', [EIO_PONG] = '3',
    [EIO_MESSAGE] = '4', [EIO_UPGRADE] = '5', [EIO_NOOP] = '6', [EIO_BINARY] = 'b',
};

enum status eio_decode(struct slice text, struct eio_packet *packet)
{
    if (text.len == 0)
        return ST_BAD_PACKET;

    for (size_t i = 0; i < sizeof type_bytes; i++) {
        if (text.ptr[0] == type_bytes[i]) {
            packet->type = (enum eio_type)i;
            packet->data = slice_from(text, 1);
            return ST_OK;
        }
    }
    return ST_BAD_PACKET;
}

void eio_encode_open(struct buf *out, const struct eio_handshake *handshake)
{
    buf_add_text(out, "0{\"sid\":");
    buf_add_json_string(out, handshake->sid);
    buf_add_text(out, ",\"upgrades\":");
    buf_add_text(out, handshake->may_upgrade ? "[\"websocket\"]" : "[]");
    buf_add_text(out, ",\"pingInterval\":");
    buf_add_u64(out, handshake->ping_interval_ms);
    buf_add_text(out, ",\"pingTimeout\":");
    buf_add_u64(out, handshake->ping_timeout_ms);
    buf_add_text(out, ",\"maxPayload\":");
    buf_add_u64(out, handshake->max_payload);
    buf_add_byte(out, '}');
}

void eio_encode(struct buf *out, enum eio_type type, struct slice data)
{
    buf_add_byte(out, type_bytes[type]);
    buf_add(out, data);
}

bool eio_payload_next(struct eio_payload *payload, struct slice *packet)
{
    if (!payload->has_more)
        return false;
    payload->has_more = slice_cut(payload->rest, EIO_SEPARATOR, packet, &payload->rest);
    return true;
}

static void separate(struct buf *body)
{
    if (body->len > 0)
        buf_add_byte(body, EIO_SEPARATOR);
}

void eio_payload_add(struct buf *body, struct slice packet)
{
    separate(body);
    buf_add(body, packet);
}

void eio_payload_add_binary(struct buf *body, struct slice bytes)
{
    separate(body);
    buf_add_byte(body, type_bytes[EIO_BINARY]);
    base64_encode(bytes, body);
}

/* Engine.IO below a dialect: see the header. */
#include "client-gw/engineio.h"

#include "bridge/random.h"
#include "client-gw/services.h"
#include "proto/base64.h"
#include "proto/eio.h"

#include <string.h>

void engineio_open(struct connection *connection)
{
    const struct mount_settings *settings = &connection->mount->settings;
    struct buf *out = services_scratch(connection->services);
    char sid[LIMIT_EIO_SID_BYTES + 1];

    memcpy(sid, connection->services->gateway_mark, 2);
    random_text(sid + 2, LIMIT_EIO_SID_BYTES - 2);
    struct eio_handshake handshake = {
        .sid = slice_of(sid),
        .ping_interval_ms = settings->ping_interval_ms,
        .ping_timeout_ms = settings->ping_timeout_ms,
        .max_payload = settings->max_message_bytes,
    };
    eio_encode_open(out, &handshake);
    connection_send_buf(connection, out);
    connection->dialect->messages->on_open(connection);
}

/* "b…", a binary message as text: what polling is made of, and welcome elsewhere. */
static void take_base64(struct connection *connection, struct slice text)
{
    struct buf *strings = &connection->services->strings;
    size_t len;

    if (!base64_measure(text, &len)) {
        connection_close(connection, CLOSE_PARSE_ERROR);
        return;
    }
    buf_clear(strings);
    char *bytes = buf_reserve(strings, len);
    if (!bytes) {
        connection_close(connection, CLOSE_UNAVAILABLE);
        return;
    }
    base64_decode(text, bytes);
    connection->dialect->messages->on_binary(connection, (struct slice){bytes, len});
}

void engineio_text(struct connection *connection, struct slice packet)
{
    const struct message_ops *messages = connection->dialect->messages;
    struct eio_packet read;

    if (eio_decode(packet, &read)) {
        connection_close(connection, CLOSE_PARSE_ERROR);
        return;
    }
    switch (read.type) {
    case EIO_PONG: connection_is_alive(connection); break;
    case EIO_CLOSE: connection_close(connection, CLOSE_CLIENT); break;
    case EIO_MESSAGE: messages->on_text(connection, read.data); break;
    case EIO_BINARY: take_base64(connection, read.data); break;
    /* In version 4 the server pings: the other direction ends the connection. */
    case EIO_PING: connection_close(connection, CLOSE_PARSE_ERROR); break;
    case EIO_OPEN:
    case EIO_UPGRADE:
    case EIO_NOOP: break;
    }
}

void engineio_binary(struct connection *connection, struct slice bytes)
{
    connection->dialect->messages->on_binary(connection, bytes);
}

void engineio_ping(struct connection *connection)
{
    connection_send_text(connection, SLICE("2"));
}

void engineio_send_text(struct connection *connection, struct slice message)
{
    struct buf *out = services_scratch(connection->services);

    eio_encode(out, EIO_MESSAGE, message);
    connection_send_buf(connection, out);
}

void engineio_send_binary(struct connection *connection, struct slice bytes)
{
    connection_send_message(connection, WS_OP_BINARY, bytes);
}

/*
 * The echo dialect: every message of Engine.IO comes back as it was, text as text, binary
 * as binary. What conformance suites of Engine.IO expect of a server.
 */
#include "client-gw/engineio.h"

static void on_open(struct connection *connection)
{
    /* Nobody needs what the request brought along. */
    arrival_destroy(connection->arrival);
    connection->arrival = NULL;
}

static const struct message_ops messages = {
    .on_open = on_open,
    .on_text = engineio_send_text,
    .on_binary = engineio_send_binary,
};

const struct dialect dialect_echo = {
    .name = "echo",
    .messages = &messages,
    .on_open = engineio_open,
    .on_text = engineio_text,
    .on_binary = engineio_binary,
};

/*
 * Engine.IO v4 between a connection and a dialect above it: the open packet, the kinds of
 * packets, the heartbeat, what is wrong with a packet. A dialect above it sees whole
 * messages, text or binary, and sends messages. Loop thread.
 */
#ifndef CLIENT_GW_ENGINEIO_H
#define CLIENT_GW_ENGINEIO_H

#include "client-gw/dialect.h"

/* What a dialect does with messages. May close the connection, never destroys it. */
struct message_ops {
    /* The client has been told its id. */
    void (*on_open)(struct connection *connection);
    void (*on_text)(struct connection *connection, struct slice message);
    void (*on_binary)(struct connection *connection, struct slice bytes);
};

/* The lower half of such a dialect's row: its connection calls these, they call its
 * `messages`. One text is one packet. */
void engineio_open(struct connection *connection);
void engineio_text(struct connection *connection, struct slice packet);
void engineio_binary(struct connection *connection, struct slice bytes);
void engineio_ping(struct connection *connection);

/*
 * One message to the client, as connection_send. What a dialect encodes by itself, to be
 * shared, begins with the type of a message, '4', where it is text.
 */
void engineio_send_text(struct connection *connection, struct slice message);
void engineio_send_binary(struct connection *connection, struct slice bytes);

#endif

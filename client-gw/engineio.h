/*
 * Engine.IO v4 between a connection and a dialect above it: the open packet, the kinds of
 * packets, the heartbeat, polls and the change to a WebSocket. What is to be done is the
 * word of proto/eio_session; here it is done. A dialect above it sees whole messages,
 * text or binary, and sends messages, whatever the transport is. Loop thread.
 */
#ifndef CLIENT_GW_ENGINEIO_H
#define CLIENT_GW_ENGINEIO_H

#include "client-gw/dialect.h"
#include "proto/eio_session.h"
#include "proto/limits.h"

struct http_exchange;

/* The Engine.IO half of a connection. */
struct engineio {
    struct eio_session session;
    char sid[LIMIT_EIO_SID_BYTES]; /* a secret: who has it speaks for the client */
};

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
void engineio_text(struct connection *connection, struct slice text);
void engineio_binary(struct connection *connection, struct slice bytes);

/*
 * One message to the client, as connection_send. What a dialect encodes by itself, to be
 * shared, begins with the type of a message, '4', where it is text.
 */
void engineio_send_text(struct connection *connection, struct slice message);
void engineio_send_binary(struct connection *connection, struct slice bytes);

/* --- for connection.c and connection_set.c */

/* Its timer has come; a connection without a socket whose time is over is destroyed. */
void engineio_due(struct connection *connection);
/* We close. A client that polls is told by its next request, or soon forgotten. */
void engineio_close(struct connection *connection, enum close_reason reason);
/* Forgets the sid and frees it. Accepts connections that speak no Engine.IO. */
void engineio_finish(struct connection *connection);
/* Whether it has no socket of its own. */
bool engineio_is_polling(const struct connection *connection);

/* --- for the requests of one that polls */

/* Lends the connection of a sid, or NULL. */
struct connection *engineio_find(const struct client_services *services,
                                 struct slice sid);

/* A GET is there: answers it, now or later. */
void engineio_poll(struct connection *connection, struct http_exchange *exchange);
/* A POST begins; it may be answered here. `is_stream`: of type
 * application/octet-stream. */
void engineio_post(struct connection *connection, struct http_exchange *exchange,
                   bool is_stream);
/* Whether this POST is the one that is being read. */
bool engineio_is_posting(const struct connection *connection,
                         const struct http_exchange *exchange);
/* It is there: its packets are taken, one by one, and it is answered. */
void engineio_posted(struct connection *connection, struct slice body);
/* It is larger than it may be; the session goes on. */
void engineio_post_is_large(struct connection *connection);
/* The client has gone before the answer. */
void engineio_poll_is_lost(struct connection *connection); /* the answer, on its way */
void engineio_poll_is_gone(struct connection *connection);
void engineio_post_is_gone(struct connection *connection);
/* What it takes from the outbox now goes to a held poll. */
void engineio_queued(struct connection *connection);

/* --- for a WebSocket that wants to take over */

/* Takes `guest`. The transport is the connection's from here on, or is being closed. */
void engineio_join(struct connection *connection, struct transport *websocket,
                   struct peer_guest *guest);
/* A piece of a message from one that has not taken over yet. */
void engineio_probed(struct connection *connection, struct slice piece, bool is_binary,
                     bool is_final);
/* It has gone, and may be destroyed. */
void engineio_probe_is_gone(struct connection *connection);

#endif

/*
 * A dialect: how a connection speaks. It turns messages into calls on sessions and
 * commands, and answers and events into messages. One row of a table each. Loop thread.
 */
#ifndef CLIENT_GW_DIALECT_H
#define CLIENT_GW_DIALECT_H

#include "client-gw/connection.h"
#include "proto/envelope.h"
#include "proto/position.h"

/* Who asked and waits for an answer: the client's number, in its dialect. */
struct ack {
    bool is_wanted;
    uint64_t id;
};

/* An event on its way to clients, as every encoder needs it. All lent for the call. */
struct event_view {
    const struct envelope *envelope;
    struct slice position; /* empty: volatile */
    struct slice room; /* when the event has exactly one target and it is a named room */
};

struct dialect {
    const char *name;
    enum encoding encoding;
    bool any_frame_is_life; /* else only its own pong is */

    /* The transport is there: first words, heartbeat, deadline. */
    void (*on_open)(struct connection *connection);
    /* One whole message. May close the connection, never destroys it. */
    void (*on_text)(struct connection *connection, struct slice text);
    void (*on_binary)(struct connection *connection, struct slice bytes);
    /* Nothing came in time: nobody connected. */
    void (*on_deadline)(struct connection *connection);
    /* Time for a ping. */
    void (*ping)(struct connection *connection);

    /* Appends the one message that carries an event to every client of this dialect. */
    void (*encode_event)(const struct event_view *event, struct buf *out);

    /* `json`: the one argument of the answer. */
    void (*send_ack)(struct session *session, struct ack ack, struct slice json);
    /* A command failed and nobody asked for an ack. */
    void (*send_error)(struct session *session, const char *code, struct slice message);
    /* Continuity is broken: every room, go on from `position`. */
    void (*send_reset)(struct session *session, const char *reason,
                       struct slice position);
    /* The session is being ended by us: the last words before the connection goes. */
    void (*send_end)(struct session *session);
};

extern const struct dialect dialect_socketio;
extern const struct dialect dialect_native;

#endif

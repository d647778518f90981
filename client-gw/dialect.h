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
    bool has_binary; /* what was asked came with bytes: an answer may have some, too */
    uint64_t id;
};

/* An event on its way to clients, as every encoder needs it. All lent for the call. */
struct event_view {
    const struct envelope *envelope;
    struct slice nsp;      /* as the client calls it */
    struct slice position; /* empty: volatile */
    struct slice offset;   /* where the client is with it; empty: it does not come back */
    struct slice room; /* when the event has exactly one target and it is a named room */
};

/* An event of our own to one client, or to several that speak alike: no log knows it. */
struct emit_view {
    struct slice nsp;        /* as the client calls it */
    struct slice event_json; /* the name with its quotes */
    struct slice args;       /* raw JSON values, comma-separated; may be empty */
    bool has_binary;         /* they may hold `$binary` objects (proto/binary.h) */
    struct ack ack;          /* wanted: asks for one, where the dialect can */
    struct slice offset;     /* session_offset; not told with one that asks for an ack */
    struct slice id;
    int64_t at_ms;
};

/* A command failed and nobody asked for an ack. */
struct client_error {
    struct slice event_json; /* what such an event is called, with quotes */
    const char *code;
    struct slice message;
};

struct message_ops;

struct dialect {
    const char *name;
    const struct message_ops *messages; /* above Engine.IO; NULL: it is spoken bare */
    bool any_frame_is_life;             /* else only its own pong is */
    bool can_ask;                       /* a client for an ack */
    bool end_is_final; /* whom send_end was said to does not come back to its session */

    /* The transport is there: first words, heartbeat, deadline. */
    void (*on_open)(struct connection *connection);
    /* One whole message. May close the connection, never destroys it. */
    void (*on_text)(struct connection *connection, struct slice text);
    void (*on_binary)(struct connection *connection, struct slice bytes);
    /* Nothing came in time: nobody connected. NULL where nobody has to. */
    void (*on_deadline)(struct connection *connection);
    /* Time for a ping. NULL above Engine.IO, which has its own. */
    void (*ping)(struct connection *connection);

    /* All that follows is for sessions; a dialect that opens none has none of it. */

    /* Gives the one frame (frame_drop) that carries an event to every session of one
     * voice, made in `scratch`; NULL: out of memory, or too large. */
    struct frame *(*make_event)(const struct event_view *event, struct buf *scratch);
    struct frame *(*make_emit)(const struct emit_view *emit, struct buf *scratch);

    /* `args`: raw JSON values, comma-separated; a dialect may take the first alone. Where
     * the ack says so, they may hold `$binary` objects. */
    void (*send_ack)(struct session *session, struct ack ack, struct slice args);
    void (*send_error)(struct session *session, const struct client_error *error);
    /* The token ends soon. */
    void (*send_expiring)(struct session *session, uint64_t in_ms);
    /* Continuity is broken: every room, go on from `position`. */
    void (*send_reset)(struct session *session, const char *reason,
                       struct slice position);
    /* The gateway is stopping: it closes in so many ms. NULL: nothing is said before. */
    void (*send_drain)(struct connection *connection, uint64_t in_ms);
    /* The session is being ended by us: the last words before the connection goes. */
    void (*send_end)(struct session *session);
};

extern const struct dialect dialect_socketio;
extern const struct dialect dialect_native;
extern const struct dialect dialect_echo;

#endif

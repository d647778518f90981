/*
 * A connection: a transport, an outbox and a heartbeat, spoken over in one dialect. It
 * carries the sessions; when it goes, they go. Loop thread.
 */
#ifndef CLIENT_GW_CONNECTION_H
#define CLIENT_GW_CONNECTION_H

#include "bridge/logger.h"
#include "bridge/metrics.h"
#include "client-gw/arrival.h"
#include "client-gw/session.h"
#include "client-gw/transport.h"
#include "proto/buf.h"
#include "proto/timer_wheel.h"

struct attachments;
struct dialect;
struct connection_set;
struct client_services;
struct engineio;

/* Why a connection ends: the word in logs and metrics, and the WebSocket close code. */
enum close_reason {
    CLOSE_RESET,       /* continuity is lost: it returns as a new one */
    CLOSE_CLIENT,      /* the peer asked for it */
    CLOSE_PARSE_ERROR, /* Socket.IO: a close without code */
    CLOSE_FAULT, /* Engine.IO: requests or packets that the protocol has no room for */
    CLOSE_MALFORMED,   /* native */
    CLOSE_UNSUPPORTED, /* native: a binary frame */
    CLOSE_TOO_LARGE,
    CLOSE_PING_TIMEOUT,
    CLOSE_CONNECT_TIMEOUT,
    CLOSE_UNAUTHORIZED,
    CLOSE_EXPIRED, /* its token has ended */
    CLOSE_FORBIDDEN,
    CLOSE_KICKED,
    CLOSE_REPLACED, /* its session lives at another gateway by now */
    CLOSE_SLOW_CONSUMER,
    CLOSE_LIMIT, /* a ceiling: what was asked for has no room */
    CLOSE_UNAVAILABLE,
    CLOSE_DRAIN, /* the gateway is stopping, and answers until it has */
    CLOSE_STOP,  /* the same, but it answers nothing any more */
    CLOSE_REASON_COUNT
};

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_CLOSING, /* says and hears nothing more; the transport is ending */
};

enum beat_state {
    BEAT_IDLE,    /* the next ping is scheduled */
    BEAT_WAITING, /* pinged: a sign of life is due */
};

struct connection_timer {
    struct timer_node node; /* first: the wheel hands this back */
    struct connection *connection;
};

struct connection {
    struct transport *transport;
    struct engineio *engineio;        /* NULL: it does not speak that */
    const struct dialect *dialect;    /* of the mount */
    struct mount *mount;              /* shared */
    struct client_services *services; /* for the dialect */
    struct connection_set *set;
    struct connection *prev, *next;
    struct connection *next_dirty, *next_ending;
    bool is_dirty; /* has frames of this burst in its outbox, unflushed */
    enum connection_state state;
    enum close_reason ends_for; /* its sessions, with the walk */
    enum beat_state beat_state;
    struct connection_timer beat;     /* next ping, or the end of waiting for life */
    uint64_t next_ping_ms;            /* an interval after the last one, once waiting */
    struct connection_timer deadline; /* the first of these and its sessions' */
    uint64_t connect_due_ms;          /* for a first session; 0: there was one */
    uint64_t inbound_due_ms;          /* for the rest of `inbound`; 0: nothing waits */
    uint64_t late_ms; /* how late the loop was in all, as far as this was excused */
    struct session *sessions;
    struct arrival
        *arrival;     /* what the handshake brought; NULL when it was nothing to keep */
    char *request_id; /* of the handshake; NULL: none */
    struct frame_queue outbox;
    struct peer_guest *guest;        /* its address, counted; NULL: exempt */
    struct buf inbound;              /* pieces of a message that is not complete */
    struct attachments *attachments; /* of a packet that is on its way; NULL: none */
    bool inbound_is_binary;
    bool wants_pings;             /* native: asked for application pings */
    uint8_t refusals;             /* of tokens that it has shown */
    struct token_bucket connects; /* to namespaces, that it has tried */
};

struct connection_config {
    const struct logger *log;
    struct metrics *metrics;
    struct frame_limits outbox_limits;
    unsigned attachments; /* of one message of a client */
    uint64_t attachments_timeout_ms;
    size_t acks; /* that one session may owe */
    uint64_t now_ms;
};

struct connection_set *connection_set_create(const struct connection_config *config);
/* No connection is left. */
void connection_set_destroy(struct connection_set *set);
/* What one client may take from now on; log and metrics stay. */
void connection_set_limit(struct connection_set *set,
                          const struct connection_config *config);
size_t connection_set_count(const struct connection_set *set);
const struct connection_config *connection_set_config(const struct connection_set *set);
/* Whether there may be one more line about a client in this second: a crowd would have
 * the loop write nothing else. Who asks for debug lines has them all. */
bool connection_set_may_log(struct connection_set *set);
/* An id for an ack that is asked for: no session here was asked with it before. */
uint64_t connection_set_next_ack(struct connection_set *set);
/* When the next heartbeat or deadline is due; false: none. */
bool connection_set_next_due(const struct connection_set *set, uint64_t *due_ms);
void connection_set_advance(struct connection_set *set, uint64_t now_ms);
void connection_set_close_all(struct connection_set *set, enum close_reason reason);
/*
 * Those that have arrived by now are to leave, evenly over the window: tells who
 * understands it when its turn is. Gives how many they are.
 */
size_t connection_set_leave(struct connection_set *set, uint64_t window_ms);
/* Sends the next of them away. False: there are no more. */
bool connection_set_leave_next(struct connection_set *set);
/* Frees those that have no socket of their own, at once. */
void connection_set_cut_polls(struct connection_set *set);
/* Tells every open session that continuity is broken; some dialects close for it. */
void connection_set_reset(struct connection_set *set, const char *reason,
                          const struct position *now);
/* Visits every open session; `visit` may close its connection. */
typedef void session_visit_fn(struct session *session, void *ctx);
void connection_set_each(struct connection_set *set, session_visit_fn *visit, void *ctx);
/*
 * Whether frames of this burst wait for connection_set_flush: then nothing may be written
 * past them, and members that were direct before the burst are not told.
 */
bool connection_set_is_bursting(const struct connection_set *set);
/* Writes what the events of this burst have queued. */
void connection_set_flush(struct connection_set *set);
/*
 * Who closes between these two says and takes nothing more, but its sessions stay in
 * their rooms until the second one: the members may be walked meanwhile.
 */
void connection_set_begin_walk(struct connection_set *set);
void connection_set_end_walk(struct connection_set *set);

/*
 * Takes `arrival`, whose mount's dialect it speaks and says its first words, and
 * `transport`, also when out of memory (NULL).
 */
struct connection *connection_create(struct connection_set *set, struct arrival *arrival,
                                     struct transport *transport);
/* The transport has gone: ends the sessions and frees it. */
void connection_destroy(struct connection *connection);

/* Takes another transport, to which all goes that waits; frees the one it had. */
void connection_swap(struct connection *connection, struct transport *transport);
/* Moves the timer of the heartbeat, for who keeps one of its own. */
void connection_set_beat(struct connection *connection, uint64_t due_ms);

/*
 * Sends a frame: now if nothing waits, else behind what waits. A full outbox closes the
 * connection (slow_consumer): what it received stays a strict prefix. Shares `frame`.
 * ST_OK: it is the socket's or the outbox'. ST_LIMIT or ST_NO_MEMORY: it was not taken,
 * and the connection closes. ST_NOT_FOUND: it had closed before.
 */
enum status connection_send(struct connection *connection, struct frame *frame);
/* The same, but written at the end of the burst (connection_set_flush), together with
 * others. */
enum status connection_send_later(struct connection *connection, struct frame *frame);
/* One message, not shared. Borrows `payload`; closes the connection when out of memory.
 */
void connection_send_message(struct connection *connection, enum ws_opcode op,
                             struct slice payload);
void connection_send_text(struct connection *connection, struct slice text);

/* The same for what was encoded; closes the connection when that has failed. */
void connection_send_buf(struct connection *connection, const struct buf *text);
/* The answer to a CONNECT: in one write with what the session has missed, which follows
 * at once where there is some. */
void connection_send_answer(struct session *session, const struct buf *text);
/* Sends a frame that is not shared. Takes it; NULL closes the connection. */
void connection_send_own(struct connection *connection, struct frame *frame);

/* Idempotent. Ends the sessions at once, or with the walk; what the outbox holds still
 * goes out, but for slow_consumer. */
void connection_close(struct connection *connection, enum close_reason reason);
/* More waits for it than may: closes it, and counts a slow consumer. */
void connection_overflows(struct connection *connection);

/* The last words to a session, and its end. The connection goes on with others, and goes
 * with its last one; of a polling client, when that has read the words and closes, or has
 * not connected again in time. */
void connection_end_session(struct session *session, enum close_reason reason);
/* The same, and the connection goes at once, with all that it carries. */
void connection_end_with(struct session *session, enum close_reason reason);

/* Its token was refused, and it was told. The tenth time closes: a signature takes longer
 * to check than to make up. */
void connection_refused(struct connection *connection);

/* A piece of a message; whole messages go to the dialect. Half of one is not waited for
 * longer than for attachments. */
void connection_receive(struct connection *connection, struct slice piece, bool is_binary,
                        bool is_first, bool is_final);
/* The socket takes more. */
void connection_drained(struct connection *connection);
/* What waited went out by a way of its own. */
void connection_emptied(struct connection *connection);
/* A direct write of `frame` took only `sent` bytes of it. As connection_send. */
enum status connection_wrote_partly(struct connection *connection, struct frame *frame,
                                    size_t sent);

/* A WebSocket pong: a sign of life where the dialect pings that way. */
void connection_heard_pong(struct connection *connection);

/* A ping leaves: what the loop is late from here on is not the client's fault. */
void connection_pings(struct connection *connection);
/* Its answer is due. Gives how much longer it has, because the loop was late since the
 * ping or since it was asked before. */
uint64_t connection_excuse_ms(struct connection *connection);
/* A sign of life: the next ping goes out when it is due, however much a client says. */
void connection_is_alive(struct connection *connection);
/* Somebody has to connect in time (connect_timeout of the mount); nobody has to, any
 * more. */
void connection_await_session(struct connection *connection);
void connection_has_session(struct connection *connection);
/* The connection's deadline is the first of this, of inbound_due_ms and of its sessions'
 * due_ms: after one has changed. What then happens is the dialect's to say, but for half
 * a message. */
void connection_arm(struct connection *connection);

/* Whether a frame sent now leaves with this burst at the latest. */
bool connection_takes_now(const struct connection *connection);
/* -1 unless a frame may be sent straight to the socket right now. */
int connection_direct_fd(const struct connection *connection);

/* For session.c: which sessions the connection carries. */
void connection_attach(struct connection *connection, struct session *session);
void connection_detach(struct connection *connection, struct session *session);
/* By what the client calls its namespace; NULL: none. */
struct session *connection_session(const struct connection *connection,
                                   struct slice name);

#endif

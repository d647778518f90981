/* Connections: see the header. */
#include "client-gw/connection.h"

#include "bridge/clock.h"
#include "client-gw/attachments.h"
#include "client-gw/catching.h"
#include "client-gw/connection_set.h"
#include "client-gw/dialect.h"
#include "client-gw/engineio.h"
#include "client-gw/proving.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CONNECTION_REFUSALS = 10
};

struct close_row {
    const char *word;
    unsigned code;
    enum session_fate fate; /* of the sessions: as the reference has it */
};

/* The codes are the native dialect's; Socket.IO clients see them as "transport close" all
 * the same. */
static const struct close_row close_rows[CLOSE_REASON_COUNT] = {
    [CLOSE_RESET] = {"transport close", 1000, SESSION_PARKED},
    [CLOSE_CLIENT] = {"transport close", 1000, SESSION_PARKED},
    [CLOSE_PARSE_ERROR] = {"parse error",     0,    SESSION_OVER  },
    [CLOSE_FAULT] = {"transport error", 0,    SESSION_PARKED},
    [CLOSE_MALFORMED] = {"parse error",     4400, SESSION_OVER  },
    [CLOSE_UNSUPPORTED] = {"parse error",     1003, SESSION_OVER  },
    [CLOSE_TOO_LARGE] = {"parse error",     1009, SESSION_OVER  },
    [CLOSE_PING_TIMEOUT] = {"ping timeout",    1001, SESSION_PARKED},
    [CLOSE_CONNECT_TIMEOUT] = {"auth_timeout",    4408, SESSION_OVER  },
    [CLOSE_UNAUTHORIZED] = {"forced close",    4401, SESSION_OVER  },
    [CLOSE_EXPIRED] = {"token_expired",   4401, SESSION_PARKED},
    [CLOSE_FORBIDDEN] = {"forced close",    4403, SESSION_OVER  },
    [CLOSE_KICKED] = {"kicked",          4403, SESSION_OVER  },
    [CLOSE_REPLACED] = {"replaced",        4409, SESSION_PARKED},
    [CLOSE_SLOW_CONSUMER] = {"slow_consumer",   4503, SESSION_PARKED},
    [CLOSE_LIMIT] = {"rate_limit",      4429, SESSION_PARKED},
    [CLOSE_UNAVAILABLE] = {"forced close",    1011, SESSION_PARKED},
    [CLOSE_DRAIN] = {"drain",           1001, SESSION_PARKED},
    [CLOSE_STOP] = {"drain",           1001, SESSION_PARKED},
};

static void set_add(struct connection_set *set, struct connection *connection)
{
    connection->set = set;
    connection->next = set->first;
    if (set->first)
        set->first->prev = connection;
    set->first = connection;
    set->count++;
    if (set->count > set->crowd)
        set->crowd = set->count;
    metrics_add(set->config.metrics, METRIC_CONNECTIONS, 1);
    metrics_add(set->config.metrics, METRIC_CONNECTS, 1);
}

static void set_remove(struct connection_set *set, struct connection *connection)
{
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        set->first = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    if (set->leaving == connection)
        set->leaving = connection->prev;
    set->count--;
    metrics_add(set->config.metrics, METRIC_CONNECTIONS, -1);

    for (struct connection **link = &set->dirty; connection->is_dirty && *link;
         link = &(*link)->next_dirty) {
        if (*link == connection) {
            *link = connection->next_dirty;
            break;
        }
    }
}

struct connection *connection_create(struct connection_set *set, struct arrival *arrival,
                                     struct transport *transport)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection) {
        transport->ops->destroy(transport);
        arrival_destroy(arrival);
        return NULL;
    }
    connection->transport = transport;
    transport->owner = connection;
    connection->mount = mount_share(arrival->mount);
    connection->dialect = connection->mount->dialect;
    connection->services = arrival->services;
    connection->arrival = arrival;
    connection->guest = arrival->guest;
    connection->request_id = arrival->request_id;
    arrival->guest = NULL;
    arrival->request_id = NULL;
    connection->beat.connection = connection;
    connection->deadline.connection = connection;
    connection->inbound.max = connection->mount->settings.max_message_bytes;
    set_add(set, connection);
    timer_wheel_set(&set->wheel, &connection->beat.node,
                    clock_ms() + connection->mount->settings.ping_interval_ms);
    connection->dialect->on_open(connection);
    return connection;
}

void connection_end_sessions(struct connection *connection, enum close_reason reason)
{
    while (connection->sessions)
        session_close(connection->sessions, close_rows[reason].word,
                      close_rows[reason].fate);
}

void connection_destroy(struct connection *connection)
{
    struct connection_set *set = connection->set;

    assert(!set->is_walking);
    connection->state = CONNECTION_CLOSING;
    connection_end_sessions(connection, CLOSE_CLIENT);
    free(connection->request_id);
    engineio_finish(connection);
    timer_wheel_cancel(&set->wheel, &connection->beat.node);
    timer_wheel_cancel(&set->wheel, &connection->deadline.node);
    set_remove(set, connection);
    attachments_drop(connection);
    metrics_add(set->config.metrics, METRIC_DISCARDED_CLOSED, connection->outbox.count);
    frame_queue_finish(&connection->outbox);
    buf_finish(&connection->inbound);
    arrival_destroy(connection->arrival);
    peer_guest_leave(connection->guest);
    mount_release(connection->mount);
    connection->transport->ops->destroy(connection->transport);
    free(connection);
}

static void tell_sessions(struct connection *connection)
{
    int fd = connection_direct_fd(connection);

    for (struct session *s = connection->sessions; s; s = s->next) {
        session_set_direct(s, fd);
        if (s->catching)
            catching_drained(s->catching);
    }
}

/* Whether what is sent now has to stand in line. */
static bool is_waiting(const struct connection *connection)
{
    return connection->outbox.count > 0 || connection->transport->is_blocked;
}

bool connection_takes_now(const struct connection *connection)
{
    return connection->state == CONNECTION_OPEN &&
           (connection->is_dirty || !is_waiting(connection));
}

int connection_direct_fd(const struct connection *connection)
{
    return connection->state == CONNECTION_OPEN && !is_waiting(connection)
               ? connection->transport->direct_fd
               : -1;
}

void connection_flush(struct connection *connection)
{
    connection->transport->ops->flush(connection->transport, &connection->outbox);
    tell_sessions(connection);
}

void connection_emptied(struct connection *connection)
{
    for (struct session *s = connection->sessions; s; s = s->next)
        if (s->catching)
            catching_drained(s->catching);
}

void connection_swap(struct connection *connection, struct transport *transport)
{
    struct transport *old = connection->transport;

    connection->transport = transport;
    transport->owner = connection;
    old->ops->destroy(old);
    connection_flush(connection);
}

void connection_set_beat(struct connection *connection, uint64_t due_ms)
{
    struct timer_wheel *wheel = &connection->set->wheel;
    struct timer_node *beat = &connection->beat.node;

    if (due_ms == 0)
        timer_wheel_cancel(wheel, beat);
    else if (!timer_node_is_armed(beat) || beat->due_ms != due_ms)
        timer_wheel_set(wheel, beat, due_ms);
}

/* A burst may be longer than an outbox: what was kept back for its end goes out first. */
static enum status push(struct connection *connection, struct frame *frame)
{
    const struct frame_limits *limits = &connection->set->config.outbox_limits;
    enum status st = frame_queue_push(&connection->outbox, limits, frame);

    if (st != ST_LIMIT || !connection->is_dirty)
        return st;
    connection->transport->ops->flush(connection->transport, &connection->outbox);
    return frame_queue_push(&connection->outbox, limits, frame);
}

/* Into the outbox, or the end of a client that does not keep up. */
static enum status enqueue(struct connection *connection, struct frame *frame)
{
    if (connection->state != CONNECTION_OPEN)
        return ST_NOT_FOUND;
    enum status st = push(connection, frame);
    if (st)
        connection_overflows(connection);
    return st;
}

enum status connection_send(struct connection *connection, struct frame *frame)
{
    bool was_waiting = is_waiting(connection);
    enum status st = enqueue(connection, frame);

    if (!st && !was_waiting)
        connection_flush(connection);
    return st;
}

/* Once, also when the socket drained in the middle of the burst. */
static void set_add_dirty(struct connection *connection)
{
    connection->is_dirty = true;
    connection->next_dirty = connection->set->dirty;
    connection->set->dirty = connection;
}

enum status connection_send_later(struct connection *connection, struct frame *frame)
{
    if (connection->is_dirty) /* as for all but the first of a burst */
        return enqueue(connection, frame);

    bool was_waiting = is_waiting(connection);
    enum status st = enqueue(connection, frame);

    if (!st && !was_waiting)
        set_add_dirty(connection);
    return st;
}

void connection_send_message(struct connection *connection, enum ws_opcode op,
                             struct slice payload)
{
    struct frame *frame = frame_create(op, payload);

    if (!frame) {
        connection_close(connection, CLOSE_SLOW_CONSUMER);
        return;
    }
    connection_send(connection, frame);
    frame_drop(frame);
}

void connection_send_text(struct connection *connection, struct slice text)
{
    connection_send_message(connection, WS_OP_TEXT, text);
}

void connection_send_buf(struct connection *connection, const struct buf *text)
{
    if (buf_status(text))
        connection_close(connection, CLOSE_UNAVAILABLE);
    else
        connection_send_text(connection, buf_slice(text));
}

void connection_send_answer(struct session *session, const struct buf *text)
{
    struct connection *connection = session->connection;
    struct frame *frame = session->catching ? frame_create_text(text) : NULL;

    if (!frame) {
        connection_send_buf(connection, text);
        return;
    }
    connection_send_later(connection, frame);
    frame_drop(frame);
}

void connection_send_own(struct connection *connection, struct frame *frame)
{
    if (frame)
        connection_send(connection, frame);
    else
        connection_close(connection, CLOSE_UNAVAILABLE);
    frame_drop(frame);
}

enum status connection_wrote_partly(struct connection *connection, struct frame *frame,
                                    size_t sent)
{
    if (sent == 0)
        return connection_send(connection, frame);
    connection->transport->ops->finish_frame(connection->transport, frame_wire(frame),
                                             sent);
    tell_sessions(connection);
    return ST_OK;
}

void connection_drained(struct connection *connection)
{
    connection->transport->ops->drained(connection->transport, &connection->outbox);
    tell_sessions(connection);
}

/* Its sessions' members do not move while somebody walks them; nothing is written past
 * the end. */
static void end_after_walk(struct connection *connection, enum close_reason reason)
{
    struct connection_set *set = connection->set;

    connection->ends_for = reason;
    connection->next_ending = set->ending;
    set->ending = connection;
    for (struct session *s = connection->sessions; s; s = s->next)
        session_set_direct(s, -1);
}

void connection_close(struct connection *connection, enum close_reason reason)
{
    struct connection_set *set = connection->set;
    struct transport *transport = connection->transport;

    if (connection->state != CONNECTION_OPEN)
        return;
    connection->state = CONNECTION_CLOSING;
    log_debug(set->config.log, "connection closes",
              LOG_TEXT("reason", close_rows[reason].word),
              LOG_NUM("waiting_frames", connection->outbox.count));
    if (reason == CLOSE_SLOW_CONSUMER) {
        metrics_add(set->config.metrics, METRIC_DISCARDED_SLOW_CONSUMER,
                    connection->outbox.count);
        frame_queue_finish(&connection->outbox);
    }
    if (set->is_walking)
        end_after_walk(connection, reason);
    else
        connection_end_sessions(connection, reason);
    attachments_drop(connection);
    timer_wheel_cancel(&set->wheel, &connection->beat.node);
    timer_wheel_cancel(&set->wheel, &connection->deadline.node);
    if (connection->engineio)
        engineio_close(connection, reason);
    transport->ops->close(transport, close_rows[reason].code,
                          slice_of(close_rows[reason].word));
}

void connection_overflows(struct connection *connection)
{
    if (connection->state == CONNECTION_OPEN)
        metrics_add(connection->set->config.metrics, METRIC_SLOW_CONSUMERS, 1);
    connection_close(connection, CLOSE_SLOW_CONSUMER);
}

/* The words, and the end that they say. It may end the connection, too. */
static void end_with_words(struct session *session, enum close_reason reason)
{
    const struct dialect *dialect = session->connection->dialect;

    dialect->send_end(session);
    session_close(session, close_rows[reason].word,
                  dialect->end_is_final ? SESSION_OVER : close_rows[reason].fate);
}

void connection_end_session(struct session *session, enum close_reason reason)
{
    struct connection *connection = session->connection;
    bool is_last = connection->sessions == session && !session->next;
    /* The end of a polling connection would be in the same body as the last words, and
     * the official client throws away what it reads together with it. It closes by
     * itself. */
    bool is_theirs = connection->engineio && engineio_is_polling(connection);

    session_share(session);
    end_with_words(session, reason);
    if (is_last && !is_theirs)
        connection_close(connection, reason);
    if (is_last && connection->state == CONNECTION_OPEN)
        connection_await_session(connection);
    session_drop(session);
}

void connection_end_with(struct session *session, enum close_reason reason)
{
    struct connection *connection = session->connection;

    session_share(session);
    end_with_words(session, reason);
    connection_close(connection, reason);
    session_drop(session);
}

void connection_refused(struct connection *connection)
{
    if (++connection->refusals >= CONNECTION_REFUSALS)
        connection_close(connection, CLOSE_UNAUTHORIZED);
}

static void hand_over(struct connection *connection, struct slice message, bool is_binary)
{
    if (is_binary)
        connection->dialect->on_binary(connection, message);
    else
        connection->dialect->on_text(connection, message);
}

/* 0: no longer. */
static void await_rest(struct connection *connection, uint64_t due_ms)
{
    connection->inbound_due_ms = due_ms;
    connection_arm(connection);
}

void connection_receive(struct connection *connection, struct slice piece, bool is_binary,
                        bool is_first, bool is_final)
{
    struct buf *inbound = &connection->inbound;

    if (connection->state != CONNECTION_OPEN)
        return;
    if (is_first)
        connection->inbound_is_binary = is_binary;
    if (inbound->len == 0 && is_final && piece.len <= inbound->max) {
        hand_over(connection, piece, connection->inbound_is_binary);
        return;
    }
    bool is_begun = inbound->len > 0;
    buf_add(inbound, piece);
    enum status st = buf_status(inbound);
    if (st) {
        buf_finish(inbound);
        connection_close(connection,
                         st == ST_TOO_LARGE ? CLOSE_TOO_LARGE : CLOSE_UNAVAILABLE);
    } else if (is_final) {
        await_rest(connection, 0);
        hand_over(connection, buf_slice(inbound), connection->inbound_is_binary);
        buf_finish(inbound);
    } else if (!is_begun && inbound->len > 0) {
        await_rest(connection,
                   clock_ms() + connection->set->config.attachments_timeout_ms);
    }
}

static uint64_t late_in_all_ms(const struct connection *connection)
{
    return atomic_load_explicit(&connection->set->config.metrics->values[METRIC_LATE_MS],
                                memory_order_relaxed);
}

void connection_pings(struct connection *connection)
{
    connection->late_ms = late_in_all_ms(connection);
}

uint64_t connection_excuse_ms(struct connection *connection)
{
    uint64_t before_ms = connection->late_ms;

    connection->late_ms = late_in_all_ms(connection);
    return connection->late_ms - before_ms;
}

void connection_is_alive(struct connection *connection)
{
    struct connection_set *set = connection->set;

    if (connection->state != CONNECTION_OPEN || connection->beat_state == BEAT_IDLE)
        return;
    connection->beat_state = BEAT_IDLE;
    timer_wheel_set(&set->wheel, &connection->beat.node, connection->next_ping_ms);
}

void connection_heard_pong(struct connection *connection)
{
    proving_ponged(connection);
    if (connection->dialect->any_frame_is_life)
        connection_is_alive(connection);
}

/* 0 is never. */
static uint64_t sooner(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms > 0 && (b_ms == 0 || a_ms < b_ms) ? a_ms : b_ms;
}

void connection_arm(struct connection *connection)
{
    struct timer_wheel *wheel = &connection->set->wheel;
    uint64_t first = sooner(connection->connect_due_ms, connection->inbound_due_ms);

    for (const struct session *s = connection->sessions; s; s = s->next)
        first = sooner(first, s->due_ms);
    if (first == 0 || connection->state != CONNECTION_OPEN)
        timer_wheel_cancel(wheel, &connection->deadline.node);
    else
        timer_wheel_set(wheel, &connection->deadline.node, first);
}

void connection_await_session(struct connection *connection)
{
    connection->connect_due_ms =
        clock_ms() + connection->mount->settings.connect_timeout_ms;
    connection_arm(connection);
}

void connection_has_session(struct connection *connection)
{
    connection->connect_due_ms = 0;
    connection_arm(connection);
}

void connection_attach(struct connection *connection, struct session *session)
{
    session->connection = connection;
    session->next = connection->sessions;
    connection->sessions = session;
}

void connection_detach(struct connection *connection, struct session *session)
{
    struct session **link = &connection->sessions;

    while (*link && *link != session)
        link = &(*link)->next;
    if (*link)
        *link = session->next;
    session->next = NULL;
}

struct session *connection_session(const struct connection *connection, struct slice name)
{
    struct session *session = connection->sessions;

    while (session && !slice_equal(session->voice->name, name))
        session = session->next;
    return session;
}

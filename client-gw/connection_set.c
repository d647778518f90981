/* All connections of a gateway: their timers, their limits, the end of a burst. */
#include "client-gw/connection_set.h"

#include "bridge/clock.h"
#include "client-gw/attachments.h"
#include "client-gw/dialect.h"
#include "client-gw/engineio.h"
#include "client-gw/proving.h"

#include <malloc.h>
#include <stdlib.h>

enum {
    CROWD = 4096, /* connections whose memory is worth a walk over all of it */
};

struct connection_set *connection_set_create(const struct connection_config *config)
{
    struct connection_set *set = calloc(1, sizeof *set);

    if (!set)
        return NULL;
    set->config = *config;
    timer_wheel_init(&set->wheel, config->now_ms);
    return set;
}

void connection_set_destroy(struct connection_set *set)
{
    free(set);
}

void connection_set_limit(struct connection_set *set,
                          const struct connection_config *config)
{
    set->config.outbox_limits = config->outbox_limits;
    set->config.attachments = config->attachments;
    set->config.attachments_timeout_ms = config->attachments_timeout_ms;
    set->config.acks = config->acks;
}

size_t connection_set_count(const struct connection_set *set)
{
    return set->count;
}

const struct connection_config *connection_set_config(const struct connection_set *set)
{
    return &set->config;
}

bool connection_set_may_log(struct connection_set *set)
{
    const struct logger *log = set->config.log;

    return log->level >= LOG_LEVEL_DEBUG ||
           log_quota_lets(&set->lines, log, "lines about clients withheld", clock_ms());
}

uint64_t connection_set_next_ack(struct connection_set *set)
{
    return ++set->last_ack;
}

bool connection_set_next_due(const struct connection_set *set, uint64_t *due_ms)
{
    return timer_wheel_next((struct timer_wheel *)&set->wheel, due_ms);
}

static void beat_due(struct connection *connection)
{
    struct connection_set *set = connection->set;

    if (connection->state != CONNECTION_OPEN)
        return;
    if (connection->beat_state == BEAT_WAITING) {
        uint64_t excuse_ms = connection_excuse_ms(connection);
        if (excuse_ms > 0)
            timer_wheel_set(&set->wheel, &connection->beat.node, set->now_ms + excuse_ms);
        else
            connection_close(connection, CLOSE_PING_TIMEOUT);
        return;
    }
    connection_pings(connection);
    connection->beat_state = BEAT_WAITING;
    connection->next_ping_ms = set->now_ms + connection->mount->settings.ping_interval_ms;
    /* A burst grew it; after an interval of quiet the memory is better with others. */
    if (connection->outbox.count == 0)
        frame_queue_finish(&connection->outbox);
    timer_wheel_set(&set->wheel, &connection->beat.node,
                    set->now_ms + connection->mount->settings.ping_timeout_ms);
    proving_pinged(connection);
    connection->dialect->ping(connection);
}

static void deadline_due(struct connection *connection)
{
    uint64_t rest_ms = connection->inbound_due_ms;

    if (connection->state != CONNECTION_OPEN)
        return;
    if (rest_ms > 0 && rest_ms <= clock_ms())
        connection_close(connection, CLOSE_LIMIT);
    else if (connection->dialect->on_deadline)
        connection->dialect->on_deadline(connection);
}

static void on_due(struct timer_node *node, void *ctx)
{
    struct connection *connection = ((struct connection_timer *)node)->connection;

    (void)ctx;
    if (node == &connection->beat.node && connection->engineio)
        engineio_due(connection);
    else if (node == &connection->beat.node)
        beat_due(connection);
    else if (node != &connection->deadline.node)
        attachments_are_late(connection);
    else
        deadline_due(connection);
}

/* The allocator keeps what a crowd needed, unless it is asked. */
static void give_back(struct connection_set *set)
{
    if (set->crowd < CROWD || set->count > set->crowd / 4)
        return;
    set->crowd = set->count;
    malloc_trim(0);
}

void connection_set_advance(struct connection_set *set, uint64_t now_ms)
{
    set->now_ms = now_ms;
    timer_wheel_advance(&set->wheel, now_ms, on_due, set);
    give_back(set);
}

void connection_set_close_all(struct connection_set *set, enum close_reason reason)
{
    for (struct connection *c = set->first; c; c = c->next)
        connection_close(c, reason);
}

static void tell_turn(struct connection *connection, uint64_t in_ms)
{
    if (connection->sessions && connection->dialect->send_drain)
        connection->dialect->send_drain(connection, in_ms);
}

/* Who is still on the way in is not sent away before it has arrived. */
static bool may_leave(const struct connection *connection)
{
    const struct session *session = connection->sessions;

    while (session && session->state != SESSION_OPEN)
        session = session->next;
    return session && connection->state == CONNECTION_OPEN;
}

/* The oldest first: newer ones may not all have arrived. */
size_t connection_set_leave(struct connection_set *set, uint64_t window_ms)
{
    size_t count = 0, turn = 0;

    set->leaving = NULL;
    for (struct connection *c = set->first; c; c = c->next) {
        count += may_leave(c);
        set->leaving = c;
    }
    for (struct connection *c = set->leaving; c; c = c->prev)
        if (may_leave(c))
            tell_turn(c, window_ms * turn++ / count);
    return count;
}

bool connection_set_leave_next(struct connection_set *set)
{
    while (set->leaving && !may_leave(set->leaving))
        set->leaving = set->leaving->prev;
    struct connection *connection = set->leaving;
    if (!connection)
        return false;
    set->leaving = connection->prev;
    connection_close(connection, CLOSE_DRAIN);
    return true;
}

void connection_set_cut_polls(struct connection_set *set)
{
    struct connection *next;

    for (struct connection *c = set->first; c; c = next) {
        next = c->next;
        if (engineio_is_polling(c))
            connection_destroy(c);
    }
}

/* Closing a connection ends all its sessions: none of them may be looked at after it. */
static void reset_sessions(struct connection *connection, const char *reason,
                           const struct position *now)
{
    char text[LIMIT_POSITION_BYTES + 1];
    struct slice position = {text, position_print(now, text)};
    struct session *next;

    for (struct session *session = connection->sessions; session; session = next) {
        next = session->next;
        if (session->catching) /* what it is to get is not there any more */
            connection_close(connection, CLOSE_RESET);
        else if (session->state == SESSION_OPEN)
            connection->dialect->send_reset(session, reason, position);
        if (connection->state != CONNECTION_OPEN)
            return;
        session_rebase(session, now->seq);
    }
}

void connection_set_reset(struct connection_set *set, const char *reason,
                          const struct position *now)
{
    for (struct connection *c = set->first; c; c = c->next)
        reset_sessions(c, reason, now);
}

static void visit_sessions(struct connection *connection, session_visit_fn *visit,
                           void *ctx)
{
    struct session *next;

    for (struct session *session = connection->sessions; session; session = next) {
        next = session->next;
        if (session->state == SESSION_OPEN)
            visit(session, ctx);
        if (connection->state != CONNECTION_OPEN)
            return;
    }
}

void connection_set_each(struct connection_set *set, session_visit_fn *visit, void *ctx)
{
    for (struct connection *c = set->first; c; c = c->next)
        visit_sessions(c, visit, ctx);
}

bool connection_set_is_bursting(const struct connection_set *set)
{
    return set->dirty != NULL;
}

void connection_set_begin_walk(struct connection_set *set)
{
    set->is_walking = true;
}

void connection_set_end_walk(struct connection_set *set)
{
    set->is_walking = false;
    while (set->ending) {
        struct connection *connection = set->ending;
        set->ending = connection->next_ending;
        connection_end_sessions(connection, connection->ends_for);
    }
}

void connection_set_flush(struct connection_set *set)
{
    while (set->dirty) {
        struct connection *connection = set->dirty;
        set->dirty = connection->next_dirty;
        connection->next_dirty = NULL;
        connection->is_dirty = false;
        connection_flush(connection);
    }
}

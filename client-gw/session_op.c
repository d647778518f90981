/* Sessions and the directory: see the header. */
#include "client-gw/session_op.h"

#include "client-gw/audit.h"
#include "client-gw/catching.h"
#include "client-gw/catchup.h"
#include "client-gw/connection.h"
#include "proto/access.h"

#include <stdlib.h>
#include <string.h>

struct session_op {
    struct session *session; /* one reference */
    enum session_op_kind kind;
    session_done_fn *on_done;
    void *ctx;
    uint32_t asked_at; /* the session's generation that wrote it (its lower half) */
    size_t room_len;
    char room[];
};

bool session_is_findable(const struct session *session)
{
    return session->voice->is_recoverable && (!session->catchup || session->is_returning);
}

static void put(struct session *session, engine_done_fn *on_done, void *ctx)
{
    struct session_set *set = session->set;
    struct engine *engine = set->config.engine;
    struct position head;
    size_t count = 0;

    for (uint16_t i = 0; i < session->membership_count; i++) {
        const struct membership *membership = &session->memberships[i];
        if (room_kind(membership->room) != ROOM_NAMED || count == LIMIT_SESSION_ROOMS)
            continue;
        set->scratch[count++] = (struct engine_membership){
            .kind = ROOM_NAMED,
            .name = room_name(membership->room),
            .joined_seq = membership->joined_seq,
        };
    }
    session->is_unwritten = true;
    engine->ops->head(engine, &head);
    struct engine_session record = {
        .sid = slice_of(session->sid),
        .pid = session_is_findable(session) ? slice_of(session->pid) : (struct slice){0},
        .nsp = session->voice->nsp,
        .user = claims_user(session->claims),
        .generation = ++session->generation,
        .epoch = session->reach.is_unsure ? 0 : head.epoch,
        .proven = session->reach.proven,
        .rooms = set->scratch,
        .room_count = count,
    };
    engine->ops->session_put(engine, &record, on_done, ctx);
}

void session_put(struct session *session)
{
    put(session, NULL, NULL);
}

void session_set_put_all(struct session_set *set)
{
    struct session *session;

    for (size_t cursor = 0; (session = str_map_next(&set->by_sid, &cursor));)
        if (session->is_counted) /* else its client's return is not proven yet */
            session_put(session);
}

static void finish_open(struct session *session, enum status status)
{
    if (status)
        return;
    session->state = SESSION_OPEN;
    audit_connected(session);
}

/*
 * The directory may or may not have written it: leave here, and write once more. A later
 * join of the same room is under way: then that one decides.
 */
static void undo_join(const struct session_op *op)
{
    struct slice room = {op->room, op->room_len};

    if (session_asked_at(op->session, room) != op->asked_at)
        return;
    session_exit(op->session, room);
    session_put(op->session);
}

/* A newer token may have taken the room away while the directory was asked. */
static bool is_still_granted(const struct session_op *op)
{
    const struct session *session = op->session;
    struct room_key key = {
        session->voice->nsp, ROOM_NAMED, {op->room, op->room_len}
    };

    return session_is_in(session, key.name) ||
           access_may_stay(session->set->system, session->claims, &key,
                           &session->set->patterns);
}

/* It has been told: from now on events go out. */
void session_go(struct session *session)
{
    if (session->catching) {
        catching_go(session->catching);
        return;
    }
    struct connection_set *connections = session->connection->set;
    session_release_held(session);
    connection_set_flush(connections);
    if (session->connection)
        session_set_direct(session, connection_direct_fd(session->connection));
    catchup_go_on(session);
}

static void op_done(void *ctx, enum status status)
{
    struct session_op *op = ctx;
    struct session *session = op->session;

    if (!status && op->asked_at == (uint32_t)session->generation)
        session->is_unwritten = false;
    if (session->state == SESSION_CLOSED)
        status = ST_NOT_FOUND;
    else if (op->kind == SESSION_OP_OPEN)
        finish_open(session, status);
    else if (op->kind == SESSION_OP_JOIN && status)
        undo_join(op);
    else if (op->kind == SESSION_OP_JOIN && !is_still_granted(op))
        status = ST_FORBIDDEN;
    else if (op->kind >= SESSION_OP_LEAVE && status)
        session_put(session); /* it may still list rooms that were left: once more */

    if (op->on_done)
        op->on_done(session, status, op->ctx);
    if (op->kind == SESSION_OP_OPEN && session->state == SESSION_OPEN)
        session_go(session);
    session_drop(session);
    free(op);
}

static void on_seen(void *ctx, int64_t at_ms)
{
    struct session *session = ctx;

    session->last_seen_ms = at_ms;
    session_drop(session);
}

/* Before the directory knows of this session; answered before the put is. */
static void ask_last_seen(struct session *session)
{
    struct engine *engine = session->set->config.engine;
    struct slice user = claims_user(session->claims);

    if (user.len > 0 && session->set->system->client_uses & TEMPLATE_BIT(TEMPLATE_SEEN))
        engine->ops->user_seen(engine, session->voice->nsp, user, on_seen,
                               session_share(session));
}

enum status session_op_start(struct session *session, enum session_op_kind kind,
                             struct slice room, session_done_fn *on_done, void *ctx)
{
    struct session_op *op = malloc(sizeof *op + room.len);

    if (!op)
        return ST_NO_MEMORY;
    *op = (struct session_op){
        .session = session_share(session),
        .kind = kind,
        .on_done = on_done,
        .ctx = ctx,
        .asked_at = (uint32_t)session->generation + 1, /* put counts on */
        .room_len = room.len,
    };
    if (room.len)
        memcpy(op->room, room.ptr, room.len);
    if (kind == SESSION_OP_JOIN)
        session_set_asked_at(session, room, op->asked_at);
    if (kind == SESSION_OP_OPEN)
        ask_last_seen(session);
    put(session, op_done, op);
    return ST_OK;
}

/* Gives whether it has left any. */
static bool leave_lost_rooms(struct session *session)
{
    struct session_set *set = session->set;
    uint16_t slot = session->membership_count;
    bool has_left = false;

    while (slot-- > 0) {
        const struct room *room = session->memberships[slot].room;
        struct room_key key = {session->voice->nsp, room_kind(room), room_name(room)};
        if (key.kind == ROOM_NAMED &&
            !access_may_stay(set->system, session->claims, &key, &set->patterns)) {
            session_exit(session, key.name);
            has_left = true;
        }
    }
    return has_left;
}

bool session_refresh(struct session *session, struct claims *claims,
                     const struct slice *rooms, size_t room_count)
{
    claims_drop(session->claims);
    session->claims = claims;
    session->end = SESSION_END_AHEAD;
    bool has_changed = leave_lost_rooms(session);
    for (size_t i = 0; i < room_count; i++) {
        if (!session_is_in(session, rooms[i]) && session_has_place(session) &&
            !session_enter(session, ROOM_NAMED, rooms[i]))
            has_changed = true;
    }
    return has_changed || session->is_unwritten;
}

enum status session_write(struct session *session, session_done_fn *on_done, void *ctx)
{
    enum status st =
        session_op_start(session, SESSION_OP_REFRESH, (struct slice){0}, on_done, ctx);

    if (st)
        session_put(session); /* as it is, whoever is told */
    return st;
}

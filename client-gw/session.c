/* Sessions: see the header. */
#include "client-gw/session.h"

#include "bridge/random.h"
#include "bridge/str_map.h"
#include "client-gw/audit.h"
#include "client-gw/catching.h"
#include "client-gw/catchup.h"
#include "client-gw/connection.h"
#include "client-gw/session_op.h"
#include "proto/access.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_MEMBERSHIPS = 4,
};

struct session_set *session_set_create(const struct session_set_config *config)
{
    struct session_set *set = calloc(1, sizeof *set);
    struct hash_key key = random_hash_key();

    if (!set)
        return NULL;
    set->config = *config;
    set->patterns.max = LIMIT_TOKEN_BYTES;
    str_map_init(&set->by_sid, &key, config->limits.sessions);
    set->scratch = calloc(LIMIT_SESSION_ROOMS, sizeof *set->scratch);
    set->voices = voice_set_create();
    if (!set->scratch || !set->voices) {
        session_set_destroy(set);
        return NULL;
    }
    return set;
}

void session_set_limit(struct session_set *set, const struct session_limits *limits)
{
    set->config.limits = *limits;
    str_map_limit(&set->by_sid, limits->sessions);
}

void session_set_use(struct session_set *set, struct system *system)
{
    system_release(set->system);
    set->system = system_share(system);
}

bool session_set_hides(const struct session_set *set, enum room_kind kind,
                       struct slice name)
{
    return access_is_hidden(set->system, kind, name);
}

void session_set_destroy(struct session_set *set)
{
    if (!set)
        return;
    system_release(set->system);
    str_map_finish(&set->by_sid);
    buf_finish(&set->patterns);
    voice_set_destroy(set->voices);
    free(set->scratch);
    free(set);
}

struct session *session_find(const struct session_set *set, struct slice sid)
{
    return str_map_find(&set->by_sid, sid);
}

struct room_member session_as_member(struct session *session)
{
    return (struct room_member){
        .fd = session->direct_fd,
        .flags = session->direct_fd >= 0 ? ROOM_MEMBER_DIRECT : 0,
        .voice = session->voice->number,
        .session = session,
    };
}

struct membership *session_membership(struct session *session, uint16_t slot)
{
    return &session->memberships[slot];
}

struct session *session_share(struct session *session)
{
    session->refs++;
    return session;
}

static void drop_memory(struct session *session)
{
    if (!session)
        return;
    if (session->voice)
        voice_drop(session->voice);
    catchup_forget(session);
    free(session->memberships);
    free(session->rates);
    acks_finish(&session->acks);
    free(session->auth);
    free(session);
}

void session_drop(struct session *session)
{
    if (--session->refs > 0)
        return;
    claims_drop(session->claims);
    drop_memory(session);
}

void session_forget_held(struct session *session)
{
    if (session->held)
        frame_queue_finish(session->held);
    free(session->held);
    session->held = NULL;
}

static void discard_held(struct session *session, enum metric reason)
{
    if (session->held)
        metrics_add(session->set->config.metrics, reason, session->held->count);
    session_forget_held(session);
}

void session_drop_held(struct session *session)
{
    discard_held(session, METRIC_DISCARDED_CLOSED);
}

static enum status make_slot(struct session *session)
{
    if (session->membership_count < session->membership_cap)
        return ST_OK;
    if (session->membership_cap > UINT16_MAX / 2)
        return ST_LIMIT;
    /* By half: most clients are in a few rooms, for long. */
    uint16_t cap = session->membership_cap
                       ? (uint16_t)(session->membership_cap + session->membership_cap / 2)
                       : FIRST_MEMBERSHIPS;
    struct membership *grown = realloc(session->memberships, cap * sizeof *grown);
    if (!grown)
        return ST_NO_MEMORY;
    session->memberships = grown;
    session->membership_cap = cap;
    return ST_OK;
}

/* What the rules say of how many may be in the room. */
static enum status check_room(const struct session *session, const struct room_key *key)
{
    struct session_set *set = session->set;
    uint64_t max = access_max_members(set->system, session->claims, key, &set->patterns);
    const struct room *room = max > 0 ? room_find(set->config.rooms, key) : NULL;
    size_t count = 0;

    if (room)
        room_members(room, &count);
    return room && count >= max ? ST_LIMIT : ST_OK;
}

enum status session_enter(struct session *session, enum room_kind kind, struct slice name)
{
    struct room_key key = {session->voice->nsp, kind, name};
    struct position head;
    enum status st = check_room(session, &key);

    if (!st)
        st = make_slot(session);
    if (st)
        return st;
    struct room_member member = session_as_member(session);
    member.slot = session->membership_count;
    struct membership *membership = &session->memberships[session->membership_count];
    st = room_join(session->set->config.rooms, &key, &member, membership);
    if (st)
        return st;
    struct engine *engine = session->set->config.engine;
    engine->ops->head(engine, &head);
    membership->joined_seq = head.seq;
    session->membership_count++;
    if (kind == ROOM_NAMED)
        audit_joined(session, name);
    return ST_OK;
}

static void leave_slot(struct session *session, uint16_t slot)
{
    struct membership gone = session->memberships[slot];
    uint16_t last = --session->membership_count;

    if (slot != last) {
        session->memberships[slot] = session->memberships[last];
        room_member_at(&session->memberships[slot])->slot = slot;
    }
    room_leave(session->set->config.rooms, &gone);
}

/* The slot of a named room, or -1. */
static int slot_of(const struct session *session, struct slice room)
{
    for (uint16_t i = 0; i < session->membership_count; i++) {
        const struct room *candidate = session->memberships[i].room;
        if (room_kind(candidate) == ROOM_NAMED && slice_equal(room_name(candidate), room))
            return i;
    }
    return -1;
}

bool session_is_in(const struct session *session, struct slice room)
{
    return slot_of(session, room) >= 0;
}

uint32_t session_asked_at(const struct session *session, struct slice room)
{
    int slot = slot_of(session, room);

    return slot < 0 ? 0 : session->memberships[slot].asked_at;
}

void session_set_asked_at(struct session *session, struct slice room, uint32_t asked_at)
{
    session->memberships[slot_of(session, room)].asked_at = asked_at;
}

enum status session_exit(struct session *session, struct slice room)
{
    int slot = slot_of(session, room);

    if (slot < 0)
        return ST_NOT_FOUND;
    audit_left(session, room);
    catchup_left(session, room);
    catching_left(session);
    leave_slot(session, (uint16_t)slot);
    return ST_OK;
}

size_t session_rooms(const struct session *session, struct slice *names, size_t max)
{
    size_t count = 0;

    for (uint16_t i = 0; i < session->membership_count; i++) {
        const struct room *room = session->memberships[i].room;
        if (room_kind(room) != ROOM_NAMED ||
            session_set_hides(session->set, ROOM_NAMED, room_name(room)))
            continue;
        if (count < max)
            names[count] = room_name(room);
        count++;
    }
    return count;
}

bool session_has_place(const struct session *session)
{
    size_t count = 0;

    for (uint16_t i = 0; i < session->membership_count; i++)
        count += room_kind(session->memberships[i].room) == ROOM_NAMED;
    return count < session->set->config.limits.rooms_per_session;
}

/* Everybody is in the room of their user: it knows how many they are. */
static enum status check_user(const struct session *session, struct slice user)
{
    const struct session_set_config *config = &session->set->config;
    const struct room_key key = {session->voice->nsp, ROOM_USER, user};
    const struct room *room = NULL;
    size_t count = 0;

    if (config->limits.sessions_per_user > 0 && user.len > 0)
        room = room_find(config->rooms, &key);
    if (room)
        room_members(room, &count);
    return room && count >= config->limits.sessions_per_user ? ST_LIMIT : ST_OK;
}

enum status session_enter_first(struct session *session, const struct slice *rooms,
                                size_t room_count)
{
    struct slice user = claims_user(session->claims);
    enum status st = check_user(session, user);

    if (!st)
        st = session_enter(session, ROOM_ALL, (struct slice){0});
    if (!st && user.len)
        st = session_enter(session, ROOM_USER, user);
    for (size_t i = 0; !st && i < room_count; i++) {
        if (session_is_in(session, rooms[i]))
            continue;
        st = session_has_place(session) ? session_enter(session, ROOM_NAMED, rooms[i])
                                        : ST_LIMIT;
    }
    return st;
}

/* Both at once: the kernel's random bytes cost a system call, however few. */
void session_make_ids(struct session *session)
{
    char text[LIMIT_SIO_SID_BYTES + LIMIT_PID_BYTES + 1];

    random_text(text, LIMIT_SIO_SID_BYTES + LIMIT_PID_BYTES);
    memcpy(session->sid, text, LIMIT_SIO_SID_BYTES);
    memcpy(session->pid, text + LIMIT_SIO_SID_BYTES, LIMIT_PID_BYTES);
}

struct session *session_open(struct session_set *set, struct connection *connection,
                             struct slice nsp, struct slice name, bool is_recoverable,
                             struct claims *claims, struct slice auth)
{
    struct session *session = calloc(1, sizeof *session);

    if (session)
        session->voice =
            voice_take(set->voices, connection->dialect, nsp, name, is_recoverable);
    if (session && auth.len > 0)
        session->auth = slice_dup(auth);
    if (!session || !session->voice || (auth.len > 0 && !session->auth)) {
        claims_drop(claims);
        drop_memory(session);
        return NULL;
    }
    session->set = set;
    session->refs = 1;
    session->state = SESSION_WAITING;
    session->claims = claims;
    session->generation = 1;
    session->direct_fd = -1;
    session_make_ids(session);
    connection_attach(connection, session);
    return session;
}

enum status session_identify(struct session *session, struct claims *claims,
                             const struct slice *rooms, size_t room_count,
                             session_done_fn *on_done, void *ctx)
{
    struct session_set *set = session->set;
    struct engine *engine = set->config.engine;
    struct position head;

    claims_drop(session->claims);
    session->claims = claims;
    session->state = SESSION_OPENING;
    engine->ops->head(engine, &head);
    session->reach.proven = head.seq; /* it was in no room before */
    enum status st = str_map_put(&set->by_sid, slice_of(session->sid), session);
    if (!st)
        st = session_enter_first(session, rooms, room_count);
    if (st)
        return st;
    return session_resume(session, on_done, ctx);
}

bool session_is_answered(const struct session *session)
{
    return session->connection && session->is_answered;
}

/* Where it lives elsewhere, or the directory never heard of it, there is nothing to say.
 */
static void tell_directory(struct session *session, enum session_fate fate)
{
    struct engine *engine = session->set->config.engine;
    struct slice sid = slice_of(session->sid);

    /* Nobody comes back with a pid that was never told. */
    if (fate == SESSION_PARKED && !session->is_answered && !session->is_recovered)
        fate = SESSION_OVER;
    /* Its put may be lost, and the record be of before it was told to go on. */
    if (fate == SESSION_PARKED)
        engine->ops->session_park(engine, sid, ++session->generation,
                                  session->reach.is_unsure ? 0 : session->reach.proven);
    else if (fate == SESSION_OVER)
        engine->ops->session_drop(engine, sid, ++session->generation);
}

void session_leave_all(struct session *session)
{
    while (session->membership_count > 0)
        leave_slot(session, (uint16_t)(session->membership_count - 1));
}

void session_close(struct session *session, const char *reason, enum session_fate fate)
{
    struct session_set *set = session->set;

    /* Its connection went in the middle of its last words. */
    if (session->state == SESSION_CLOSED && fate == SESSION_OVER && session->is_counted)
        tell_directory(session, fate);
    if (session->state == SESSION_CLOSED)
        return;
    if (session->is_counted)
        audit_disconnected(session, reason);
    session->state = SESSION_CLOSED;
    if (!session_is_findable(session) && fate == SESSION_PARKED)
        fate = SESSION_OVER;
    catching_stop(session);
    session_leave_all(session);
    session_drop_held(session);
    if (str_map_find(&set->by_sid, slice_of(session->sid)) == session)
        str_map_remove(&set->by_sid, slice_of(session->sid));
    if (session->is_counted) {
        metrics_add(set->config.metrics, METRIC_SESSIONS, -1);
        tell_directory(session, fate);
    }
    connection_detach(session->connection, session);
    session->connection = NULL;
    session_drop(session);
}

enum status session_join(struct session *session, struct slice room,
                         session_done_fn *on_done, void *ctx)
{
    bool was_in = session_is_in(session, room);

    if (!was_in) {
        if (!session_has_place(session))
            return ST_LIMIT;
        enum status st = session_enter(session, ROOM_NAMED, room);
        if (st)
            return st;
    }
    enum status st = session_op_start(session, SESSION_OP_JOIN, room, on_done, ctx);
    if (st && !was_in)
        session_exit(session, room);
    return st;
}

enum status session_leave(struct session *session, struct slice room,
                          session_done_fn *on_done, void *ctx)
{
    enum status st = session_exit(session, room);

    /* It may have left before, and the directory not have heard of it. */
    if (st && !session->is_unwritten)
        return st;
    st = session_op_start(session, SESSION_OP_LEAVE, room, on_done, ctx);
    if (st)
        session_put(session); /* it has left all the same */
    return st;
}

struct token_bucket *session_rate(struct session *session, size_t index, size_t count)
{
    if (count > session->rate_count) {
        struct token_bucket *grown =
            realloc(session->rates, count * sizeof *session->rates);
        if (!grown)
            return NULL;
        memset(grown + session->rate_count, 0,
               (count - session->rate_count) * sizeof *grown);
        session->rates = grown;
        session->rate_count = (uint8_t)count;
    }
    return &session->rates[index];
}

enum status session_hold(struct session *session, struct frame *frame)
{
    if (!session->held)
        session->held = calloc(1, sizeof *session->held);
    if (!session->held)
        return ST_NO_MEMORY;
    return frame_queue_push(session->held, &session->set->config.limits.held, frame);
}

enum status session_send(struct session *session, struct frame *frame)
{
    if (session->catching)
        return catching_hold(session->catching, frame);
    if (session->state == SESSION_OPEN)
        return connection_send(session->connection, frame);
    if (session->state != SESSION_OPENING ||
        session->connection->state != CONNECTION_OPEN)
        return ST_NOT_FOUND;
    enum status st = session_hold(session, frame);
    if (st) {
        discard_held(session, METRIC_DISCARDED_SLOW_CONSUMER);
        connection_overflows(session->connection);
    }
    return st;
}

bool session_takes_now(const struct session *session)
{
    return session->state == SESSION_OPEN && !session->catching &&
           connection_takes_now(session->connection);
}

uint64_t session_position(const struct session *session)
{
    struct engine *engine = session->set->config.engine;
    struct position head;

    if (session->catching)
        return catching_position(session->catching);
    /* While it opened: what is held comes after what was there before. */
    if (session->held && session->held->count > 0)
        return session->reach.proven;
    engine->ops->head(engine, &head);
    return head.seq;
}

struct slice session_offset(const struct session *session,
                            char text[LIMIT_POSITION_BYTES + 1])
{
    struct engine *engine = session->set->config.engine;
    struct position position;

    if (!session->voice->is_recoverable)
        return (struct slice){0};
    engine->ops->head(engine, &position);
    position.seq = session_position(session);
    return (struct slice){text, position_print(&position, text)};
}

struct slice session_set_told_room(const struct session_set *set,
                                   const struct envelope *envelope)
{
    const struct envelope_target *only = &envelope->targets[0];

    if (envelope->target_count != 1 || only->kind != ROOM_NAMED ||
        session_set_hides(set, only->kind, only->name))
        return (struct slice){0};
    return only->name;
}

void session_rebase(struct session *session, uint64_t seq)
{
    session->reach = (struct recovery_reach){
        .proven = seq, .out = session->reach.out, .is_unsure = session->is_answered};
    if (!session->is_answered)
        session_drop_held(session);
    for (uint16_t i = 0; i < session->membership_count; i++)
        session->memberships[i].joined_seq = seq;
    if (session->is_counted)
        session_put(session);
}

void session_release_held(struct session *session)
{
    while (session->state == SESSION_OPEN && session->held && session->held->count > 0) {
        struct frame *frame = frame_share(frame_queue_at(session->held, 0));
        frame_queue_shift(session->held, 1);
        if (connection_send_later(session->connection, frame))
            metrics_add(session->set->config.metrics, METRIC_DISCARDED_SLOW_CONSUMER, 1);
        frame_drop(frame);
    }
    session_drop_held(session);
}

void session_set_direct(struct session *session, int fd)
{
    if (session->state != SESSION_OPEN || session->catching)
        fd = -1;
    if (session->direct_fd == fd)
        return;
    session->direct_fd = fd;
    for (uint16_t i = 0; i < session->membership_count; i++) {
        struct room_member *member = room_member_at(&session->memberships[i]);
        member->fd = fd;
        member->flags = fd >= 0 ? ROOM_MEMBER_DIRECT : 0;
    }
}

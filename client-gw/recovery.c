/* Clients that come back: see the header. */
#include "client-gw/recovery.h"

#include "bridge/list.h"
#include "bridge/testing/test_hook.h"
#include "client-gw/audit.h"
#include "client-gw/catching.h"
#include "client-gw/connection.h"
#include "client-gw/session_op.h"
#include "proto/access.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 10,
    LOOKS = 200, /* while a gateway is behind what a client has seen */
};

struct recovery {
    struct recovery_config config;
    struct list_node behind; /* returns that wait for this gateway */
    uv_timer_t timer;        /* runs while there are some */
};

/* A client on its way back to its session. */
struct return_job {
    struct list_node behind; /* first */
    struct recovery *recovery;
    struct session *session; /* one reference */
    struct claims *claims;   /* shared */
    session_done_fn *on_done;
    void *ctx;
    struct recovery_facts facts;
    unsigned looks;               /* it waited: who stands still does not look */
    enum recovery_reason reason;  /* it waits for a new session */
    bool is_unreadable;           /* its position is none */
    struct engine_session record; /* lends from `memory` */
    struct engine_membership *record_rooms;
    char *memory;
    struct slice *rooms; /* those of a new session; the names lie behind */
    size_t room_count;
};

static void on_timer(uv_timer_t *timer);

struct recovery *recovery_create(const struct recovery_config *config)
{
    struct recovery *recovery = calloc(1, sizeof *recovery);

    if (!recovery)
        return NULL;
    recovery->config = *config;
    list_init(&recovery->behind);
    uv_timer_init(config->loop, &recovery->timer);
    recovery->timer.data = recovery;
    return recovery;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end_job(struct return_job *job)
{
    list_remove(&job->behind);
    session_drop(job->session);
    claims_drop(job->claims);
    free(job->record_rooms);
    free(job->memory);
    free(job->rooms);
    free(job);
}

void recovery_destroy(struct recovery *recovery)
{
    struct list_node *node;

    if (!recovery)
        return;
    while ((node = list_first(&recovery->behind)))
        end_job((struct return_job *)node);
    uv_close((uv_handle_t *)&recovery->timer, on_closed);
}

/* --- how it ends --- */

static void count_reason(const struct return_job *job, enum recovery_reason reason)
{
    metrics_add(job->recovery->config.metrics,
                METRIC_NOT_RECOVERED + (int)reason - RECOVERY_HISTORY_OVERFLOW, 1);
}

/* The answer runs once, and the job is over. */
static void answer(struct return_job *job, enum status status)
{
    job->on_done(job->session, status, job->ctx);
    end_job(job);
}

/* It ended while it was being looked for. */
static bool is_over(struct return_job *job)
{
    if (job->session->state != SESSION_CLOSED)
        return false;
    answer(job, ST_NOT_FOUND);
    return true;
}

/* It comes again. */
static void put_off(struct return_job *job, enum status why)
{
    if (why != ST_NO_MEMORY) /* else the bus has nothing to do with it */
        count_reason(job, RECOVERY_BUS_DOWN);
    answer(job, ST_UNAVAILABLE);
}

static void entered(struct session *session, enum status status, void *ctx)
{
    (void)session;
    answer(ctx, status);
}

static void begin_new(struct return_job *job)
{
    count_reason(job, job->reason);
    audit_not_recovered(job->session, job->reason);
    job->session->return_reason = (uint8_t)job->reason;
    enum status st = session_identify(job->session, claims_share(job->claims), job->rooms,
                                      job->room_count, entered, job);
    if (st)
        answer(job, st);
}

/* How far this gateway is, at this moment. */
static void look(struct return_job *job)
{
    struct engine *engine = job->recovery->config.engine;
    struct position head;

    engine->ops->head(engine, &head);
    job->facts.log_epoch = head.epoch;
    job->facts.applied = head.seq;
    job->facts.is_ready = engine->ops->is_ready(engine);
    job->facts.is_late = job->looks >= LOOKS;
}

/* Looked at again until this gateway is as far. */
static void wait_behind(struct return_job *job)
{
    struct recovery *recovery = job->recovery;

    job->looks++;
    list_append(&recovery->behind, &job->behind);
    if (!uv_is_active((uv_handle_t *)&recovery->timer))
        uv_timer_start(&recovery->timer, on_timer, LOOK_MS, LOOK_MS);
}

/* A new session, and the client is told why. */
static void give_up(struct return_job *job, enum recovery_reason reason)
{
    job->reason = reason;
    look(job);
    switch (recovery_judge_new(&job->facts)) {
    case RECOVERY_WAIT: wait_behind(job); break;
    case RECOVERY_PUT_OFF: put_off(job, ST_UNAVAILABLE); break;
    default: begin_new(job); break;
    }
}

static void resumed(struct session *session, enum status status, void *ctx)
{
    struct return_job *job = ctx;

    (void)session;
    if (!status)
        metrics_add(job->recovery->config.metrics, METRIC_RECOVERED, 1);
    answer(job, status);
}

/* --- the proof --- */

static void on_proven(void *ctx, enum status status)
{
    struct return_job *job = ctx;
    struct session *session = job->session;

    if (is_over(job))
        return;
    if (status == ST_OK) {
        session->is_recovered = true;
        status = session_resume(session, resumed, job);
        if (status)
            answer(job, status);
    } else if (status == ST_NOT_FOUND || status == ST_CONFLICT ||
               status == ST_FORBIDDEN) {
        session_undo(session);
        give_up(job, status == ST_NOT_FOUND  ? RECOVERY_HISTORY_OVERFLOW
                     : status == ST_CONFLICT ? RECOVERY_EPOCH_CHANGED
                                             : RECOVERY_FORBIDDEN);
    } else {
        put_off(job, status);
    }
}

/* One ghost: the connection that it had here. Its other sessions may be come back to, as
 * this one. */
static void evict(struct session *ghost, uint64_t *proven)
{
    struct connection *connection = ghost->connection;

    session_share(ghost);
    connection_close(connection, CLOSE_REPLACED);
    /* What it was told to go on from need not have reached its client. */
    if (!ghost->reach.is_unsure && ghost->reach.proven > *proven)
        *proven = ghost->reach.proven;
    session_drop(ghost);
}

static void go_on(struct return_job *job)
{
    struct session *session = job->session;
    struct session *ghost = session_find(job->recovery->config.sessions, job->record.sid);
    struct session_return found = {
        .record = &job->record,
        .rooms = job->rooms,
        .room_count = job->room_count,
    };

    if (ghost && !test_hook_no_evict())
        evict(ghost, &job->facts.proven);
    if (is_over(job)) /* the ghost was on the same connection */
        return;
    found.from = recovery_from(&job->facts);
    enum status st = session_return(session, claims_share(job->claims), &found);
    const struct catching_wish wish = {
        .from = found.from, .on_proven = on_proven, .ctx = job};
    if (!st)
        st = catching_begin(job->recovery->config.catching, session, &wish);
    if (st == ST_LIMIT) {
        /* Others have its place in a room by now. */
        session_undo(session);
        give_up(job, RECOVERY_FORBIDDEN);
    } else if (st) {
        answer(job, st);
    }
}

/* --- whether it may --- */

static void judge(struct return_job *job)
{
    enum recovery_reason reason;

    look(job);
    switch (recovery_judge(&job->facts, &reason)) {
    case RECOVERY_GO: go_on(job); break;
    case RECOVERY_WAIT: wait_behind(job); break;
    case RECOVERY_PUT_OFF: put_off(job, ST_UNAVAILABLE); break;
    case RECOVERY_LOST: give_up(job, reason); break;
    }
}

/* Those that have come before: each once. */
static void on_timer(uv_timer_t *timer)
{
    struct recovery *recovery = timer->data;
    struct list_node waiting, *node;

    list_init(&waiting);
    while ((node = list_first(&recovery->behind)))
        list_append(&waiting, node);
    while ((node = list_first(&waiting))) {
        struct return_job *job = (struct return_job *)node;
        list_remove(node);
        if (is_over(job))
            continue;
        if (job->reason)
            give_up(job, job->reason);
        else
            judge(job);
    }
    if (list_is_empty(&recovery->behind))
        uv_timer_stop(timer);
}

static bool is_still_granted(const struct return_job *job,
                             const struct engine_session *record)
{
    const struct session *session = job->session;
    struct session_set *set = session->set;

    for (size_t i = 0; i < record->room_count; i++) {
        struct room_key key = {session->voice->nsp, ROOM_NAMED, record->rooms[i].name};
        if (!access_may_stay(set->system, job->claims, &key, &set->patterns))
            return false;
    }
    return true;
}

/* It is lent for the call: what is needed later is copied. */
static bool copy_record(struct return_job *job, const struct engine_session *record)
{
    size_t bytes = LIMIT_SIO_SID_BYTES + LIMIT_PID_BYTES;

    for (size_t i = 0; i < record->room_count; i++)
        bytes += record->rooms[i].name.len;
    job->record = *record;
    job->memory = malloc(bytes);
    job->record_rooms = calloc(record->room_count + 1, sizeof *job->record_rooms);
    if (!job->memory || !job->record_rooms)
        return false;
    char *at = job->memory;
    memcpy(at, record->sid.ptr, LIMIT_SIO_SID_BYTES);
    job->record.sid.ptr = at;
    at += LIMIT_SIO_SID_BYTES;
    memcpy(at, record->pid.ptr, LIMIT_PID_BYTES);
    job->record.pid.ptr = at;
    at += LIMIT_PID_BYTES;
    for (size_t i = 0; i < record->room_count; i++) {
        struct slice name = record->rooms[i].name;
        job->record_rooms[i] = record->rooms[i];
        job->record_rooms[i].name.ptr = memcpy(at, name.ptr, name.len);
        at += name.len;
        if (record->rooms[i].joined_seq > job->facts.last_joined)
            job->facts.last_joined = record->rooms[i].joined_seq;
    }
    job->record.rooms = job->record_rooms;
    job->record.user = job->record.nsp = (struct slice){0};
    job->facts.session_epoch = record->epoch;
    job->facts.proven = record->proven;
    return true;
}

/* A pid is its user's in one namespace; whoever else has it learns nothing by it. */
static bool is_theirs(const struct return_job *job, const struct engine_session *record)
{
    return slice_equal(record->nsp, job->session->voice->nsp) &&
           slice_equal(record->user, claims_user(job->claims)) &&
           record->sid.len == LIMIT_SIO_SID_BYTES && record->pid.len == LIMIT_PID_BYTES;
}

static void on_found(void *ctx, enum status status, const struct engine_session *record,
                     struct slice gateway)
{
    struct return_job *job = ctx;

    (void)gateway;
    if (is_over(job))
        return;
    if (status == ST_NOT_FOUND || (record && !is_theirs(job, record)))
        give_up(job, RECOVERY_UNKNOWN_SESSION);
    else if (status == ST_TIMEOUT)
        give_up(job, RECOVERY_EXPIRED);
    else if (status || !record)
        put_off(job, status);
    else if (!copy_record(job, record))
        put_off(job, ST_NO_MEMORY);
    else if (job->is_unreadable)
        give_up(job, RECOVERY_EPOCH_CHANGED);
    else if (!is_still_granted(job, record))
        give_up(job, RECOVERY_FORBIDDEN);
    else
        judge(job);
}

/* --- beginning --- */

static bool copy_rooms(struct return_job *job, const struct slice *rooms, size_t count)
{
    size_t bytes = (count + 1) * sizeof *rooms;

    for (size_t i = 0; i < count; i++)
        bytes += rooms[i].len;
    job->rooms = malloc(bytes);
    if (!job->rooms)
        return false;
    char *at = (char *)(job->rooms + count + 1);
    for (size_t i = 0; i < count; i++) {
        job->rooms[i] =
            (struct slice){memcpy(at, rooms[i].ptr, rooms[i].len), rooms[i].len};
        at += rooms[i].len;
    }
    job->room_count = count;
    return true;
}

enum status recovery_begin(struct recovery *recovery, struct session *session,
                           const struct recovery_claim *claim, struct claims *claims,
                           const struct slice *rooms, size_t room_count,
                           session_done_fn *on_done, void *ctx)
{
    struct engine *engine = recovery->config.engine;
    struct return_job *job = calloc(1, sizeof *job);

    if (!job || !copy_rooms(job, rooms, room_count)) {
        free(job);
        claims_drop(claims);
        return ST_NO_MEMORY;
    }
    job->recovery = recovery;
    job->session = session_share(session);
    job->claims = claims;
    job->on_done = on_done;
    job->ctx = ctx;
    job->facts.has_offset = claim->position.len > 0;
    job->facts.keeps_offset = claim->keeps_position;
    job->is_unreadable = job->facts.has_offset &&
                         position_parse(claim->position, &job->facts.offset) != ST_OK;
    if (claim->pid.len != LIMIT_PID_BYTES)
        give_up(job, RECOVERY_UNKNOWN_SESSION);
    else
        engine->ops->session_find(engine, claim->pid, on_found, job);
    return ST_OK;
}

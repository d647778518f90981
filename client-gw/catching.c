/* What sessions get from the log first: see the header. */
#include "client-gw/catching.h"

#include "bridge/clock.h"
#include "bridge/list.h"
#include "bridge/testing/test_hook.h"
#include "client-gw/connection_set.h"
#include "client-gw/dialect.h"
#include "client-gw/event_frames.h"
#include "client-gw/session_op.h"
#include "proto/past_reading.h"
#include "proto/recovery_proof.h"

#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 4,            /* pages that are asked for: the stream's own wait for them */
    PAGE_BYTES = 64 * 1024, /* or one event */
    PER_TURN = 64,          /* sessions that are looked at */
    AGAIN_MS = 100,         /* after the log could not be asked, or could not read */
};

/* A page that was asked for. */
struct asked {
    struct catching_set *set;
    struct catching *catching; /* NULL: it was stopped meanwhile, or asks anew */
    struct past_page page;
    size_t count;   /* of events that were sent */
    bool is_return; /* to who came back */
    bool is_kicked;
};

struct catching {
    struct list_node turn; /* first: in the set's list while it wants one */
    struct catching_set *set;
    struct session *session; /* keeps: it stops us when it ends */
    struct asked *asked;     /* NULL: no page is under way */
    uint64_t from;           /* as the wish said */
    struct past_reading reading;
    struct frame_queue ready; /* until it may be sent */
    struct catching_past *past;
    size_t past_count;
    bool (*wants)(void *ctx, uint64_t seq, const struct envelope *envelope);
    void (*on_proven)(void *ctx, enum status status);
    void (*on_done)(void *ctx, enum status status);
    void *ctx;
    bool is_live; /* as the wish said */
};

struct catching_set {
    struct engine *engine;
    struct metrics *metrics;
    struct list_node turns;
    size_t asked;
    size_t count; /* of sessions that are catching up */
    bool is_ending, is_closed;
    bool is_turning; /* their turns are being taken */
    uv_timer_t timer;
    struct event_frames *frames; /* what was encoded lately: many miss the same */
    struct envelope_room room;
};

static void on_timer(uv_timer_t *timer);

struct catching_set *catching_set_create(uv_loop_t *loop, struct engine *engine,
                                         struct metrics *metrics)
{
    struct catching_set *set = calloc(1, sizeof *set);

    if (!set)
        return NULL;
    set->frames = event_frames_create();
    if (!set->frames) {
        free(set);
        return NULL;
    }
    set->engine = engine;
    set->metrics = metrics;
    list_init(&set->turns);
    uv_timer_init(loop, &set->timer);
    set->timer.data = set;
    return set;
}

/* The last one that knows it frees it: the timer, or a page that is still under way. */
static void release(struct catching_set *set)
{
    if (set->is_closed && set->asked == 0)
        free(set);
}

static void on_closed(uv_handle_t *handle)
{
    struct catching_set *set = handle->data;

    set->is_closed = true;
    release(set);
}

void catching_set_destroy(struct catching_set *set)
{
    if (!set)
        return;
    set->is_ending = true;
    event_frames_destroy(set->frames);
    uv_close((uv_handle_t *)&set->timer, on_closed);
}

static void come_back(struct catching_set *set, uint64_t after_ms)
{
    if (!uv_is_active((uv_handle_t *)&set->timer))
        uv_timer_start(&set->timer, on_timer, after_ms, 0);
}

static void want_turn(struct catching *catching, uint64_t after_ms)
{
    list_append(&catching->set->turns, &catching->turn);
    come_back(catching->set, after_ms);
}

/* --- room for more --- */

static const struct frame_limits *limits_of(const struct catching *catching)
{
    return &catching->session->connection->set->config.outbox_limits;
}

/* The other half is for what is said meanwhile, and for one event that is large. */
static bool has_room(const struct catching *catching)
{
    const struct frame_limits *limits = limits_of(catching);
    const struct frame_queue *queue = catching->reading.is_going
                                          ? &catching->session->connection->outbox
                                          : &catching->ready;

    return queue->count < limits->frames / 2 + 1 && queue->bytes < limits->bytes / 2;
}

/* Whether what is held may go all at once behind what waits. */
static bool may_finish(const struct catching *catching)
{
    const struct frame_limits *limits = limits_of(catching);
    const struct frame_queue *held = catching->session->held;
    const struct frame_queue *outbox = &catching->session->connection->outbox;

    return outbox->count == 0 || !held ||
           (outbox->count + held->count < limits->frames &&
            outbox->bytes + held->bytes < limits->bytes);
}

/* --- a page --- */

static bool is_for(const struct catching *catching, uint64_t seq,
                   const struct envelope *envelope)
{
    struct slice sid = slice_of(catching->session->sid);

    for (size_t i = 0; i < envelope->except_count; i++)
        if (slice_equal(envelope->except[i], sid))
            return false;
    if (envelope->ttl_ms > 0 && clock_wall_ms() > envelope->at_ms + envelope->ttl_ms)
        return false;
    return !catching->wants || catching->wants(catching->ctx, seq, envelope);
}

/* False: it did not get into the queue, and the session is over or will be. */
static bool put_frame(struct catching *catching, struct frame *frame)
{
    struct connection *connection = catching->session->connection;

    if (catching->reading.is_going)
        return connection_send_later(connection, frame) == ST_OK;
    if (!frame_queue_push(&catching->ready, limits_of(catching), frame))
        return true;
    connection_overflows(connection);
    return false;
}

static void take_event(struct asked *asked, const struct engine_event *event,
                       const struct envelope *envelope)
{
    struct catching *catching = asked->catching;
    struct session *session = catching->session;
    bool is_past = catching->is_live && event->position.seq < catching->from;
    const struct event_place place = {
        .position = event->position,
        .client_at = is_past ? catching->from : event->position.seq,
        .sessions = session->set,
    };

    if (!is_for(catching, event->position.seq, envelope))
        return;
    struct frame *frame =
        event_frames_make(asked->set->frames, &place, envelope, session->voice);
    if (!frame)
        connection_close(session->connection, CLOSE_SLOW_CONSUMER);
    else
        asked->count += put_frame(catching, frame);
    frame_drop(frame);
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct asked *asked = ctx;
    const struct envelope *envelope = event->opened;
    struct envelope decoded;

    if (!asked->catching || asked->is_kicked ||
        !past_page_takes(&asked->page, has_room(asked->catching)))
        return;
    if (!envelope && !envelope_decode(event->envelope, &asked->set->room, &decoded))
        envelope = &decoded;
    if (envelope) {
        asked->is_kicked = envelope->kind == ENVELOPE_CONTROL_DISCONNECT;
        if (!asked->is_kicked && !test_hook_no_replay())
            take_event(asked, event, envelope);
    }
    past_page_took(&asked->page, event->position.seq);
}

/* --- one that ends --- */

static void free_catching(struct catching *catching)
{
    list_remove(&catching->turn);
    if (catching->asked)
        catching->asked->catching = NULL;
    frame_queue_finish(&catching->ready);
    if (--catching->set->count == 0)
        event_frames_clear(catching->set->frames);
    free(catching->past);
    free(catching);
}

void catching_stop(struct session *session)
{
    struct catching *catching = session->catching;

    if (!catching)
        return;
    void (*told)(void *, enum status) =
        catching->on_proven ? catching->on_proven : catching->on_done;
    void *ctx = catching->ctx;
    session->catching = NULL;
    free_catching(catching);
    if (told)
        told(ctx, ST_DRAINING);
}

/* Live from now on. */
static void finish(struct catching *catching)
{
    struct session *session = session_share(catching->session);

    /* It may send, and so end the session. */
    if (catching->on_done)
        catching->on_done(catching->ctx, ST_OK);
    if (session->catching == catching) {
        session->catching = NULL;
        free_catching(catching);
        session_go(session);
    }
    session_drop(session);
}

/* Whether nothing is left to be read; then it waits for room at most. */
static bool finish_if_done(struct catching *catching)
{
    bool is_done = past_reading_is_over(&catching->reading);

    if (is_done && may_finish(catching))
        finish(catching);
    return is_done;
}

/* Something is gone by now: it comes back, and is told. */
static void fail(struct catching *catching, enum close_reason reason)
{
    connection_close(catching->session->connection, reason);
}

/* --- asking --- */

/* What one page is asked for with. */
struct question {
    struct room_key *rooms;
    uint64_t *bases;
    size_t count;
};

/* Who has joined since, again, is in it from then on: what it was to get is over. */
static void add_room(struct question *question, const struct catching *catching,
                     const struct room_key *key, uint64_t joined)
{
    uint64_t base = recovery_base(catching->from, joined);

    for (size_t i = 0; i < catching->past_count; i++)
        if (joined <= catching->from && room_key_equal(&catching->past[i].room, key))
            base = catching->past[i].base;
    question->rooms[question->count] = *key;
    question->bases[question->count++] = base;
}

/* As they are by now: what it has left meanwhile it does not get any more. */
static bool gather(struct question *question, const struct catching *catching)
{
    const struct session *session = catching->session;
    size_t count = session->membership_count + 1u;
    struct room_key key = {
        session->voice->nsp, ROOM_SOCKET, {session->sid, LIMIT_SIO_SID_BYTES}
    };

    *question = (struct question){calloc(count, sizeof *question->rooms),
                                  calloc(count, sizeof *question->bases), 0};
    if (!question->rooms || !question->bases)
        return false;
    add_room(question, catching, &key, 0);
    for (uint16_t i = 0; i < session->membership_count; i++) {
        const struct membership *membership = &session->memberships[i];
        key.kind = room_kind(membership->room);
        key.name = room_name(membership->room);
        add_room(question, catching, &key, membership->joined_seq);
    }
    return true;
}

static void on_page(void *ctx, enum status status, uint64_t through);
static void take_turns(struct catching_set *set);

static bool ask(struct catching *catching)
{
    struct catching_set *set = catching->set;
    struct asked *asked = calloc(1, sizeof *asked);
    struct question question = {0};
    bool is_ready = asked && gather(&question, catching);

    if (is_ready) {
        struct engine_replay wish = {
            .rooms = question.rooms,
            .bases = question.bases,
            .room_count = question.count,
            .to = test_hook_no_dedupe() ? UINT64_MAX : catching->reading.to,
            .max_bytes = PAGE_BYTES,
            .on_event = on_event,
            .on_done = on_page,
            .ctx = asked,
        };
        set->engine->ops->head(set->engine, &wish.from);
        wish.from.seq = catching->reading.read;
        *asked = (struct asked){.set = set,
                                .catching = catching,
                                .is_return = !catching->wants,
                                .page = past_page_begin(&catching->reading)};
        catching->asked = asked;
        set->asked++;
        set->engine->ops->replay(set->engine, &wish);
    } else {
        free(asked);
    }
    free(question.rooms);
    free(question.bases);
    return is_ready;
}

/* The first page says whether all is there. */
static void tell_proven(struct catching *catching, enum status status)
{
    void (*on_proven)(void *, enum status) = catching->on_proven;

    catching->on_proven = NULL;
    on_proven(catching->ctx, status);
}

static void use_page(struct catching *catching, const struct asked *asked,
                     enum status status, uint64_t through)
{
    if (status == ST_NOT_FOUND && test_hook_no_recheck()) {
        status = ST_OK; /* passes over what is gone */
        through = catching->reading.to;
    }
    if (asked->is_kicked)
        status = ST_FORBIDDEN;
    if (!status)
        past_reading_turn(&catching->reading, &asked->page, through);
    if (catching->on_proven)
        tell_proven(catching, status);
    else if (status == ST_NOT_FOUND || status == ST_CONFLICT)
        fail(catching, CLOSE_SLOW_CONSUMER);
    else if (status == ST_FORBIDDEN)
        connection_end_session(catching->session, CLOSE_KICKED);
    else if (status)
        want_turn(catching, AGAIN_MS);
    else if (catching->reading.is_going)
        want_turn(catching, 0);
}

/* Of the log, which is there. */
static bool is_answer(enum status status)
{
    return status == ST_OK || status == ST_NOT_FOUND || status == ST_CONFLICT ||
           status == ST_FORBIDDEN;
}

static void on_page(void *ctx, enum status status, uint64_t through)
{
    struct asked *asked = ctx;
    struct catching_set *set = asked->set;
    struct catching *catching = asked->catching;

    set->asked--;
    if (asked->is_return)
        metrics_add(set->metrics, METRIC_MISSED_EVENTS, (int64_t)asked->count);
    if (catching) {
        struct session *session = session_share(catching->session);
        struct connection_set *connections = session->connection->set;
        catching->asked = NULL;
        if (!status && !past_page_has_come(&asked->page, &catching->reading, through))
            status = ST_UNAVAILABLE;
        use_page(catching, asked, status, through);
        connection_set_flush(connections);
        session_drop(session);
    }
    free(asked);
    if (set->is_ending)
        release(set);
    else if (is_answer(status))
        take_turns(set); /* without a turn of the loop between two pages */
    else if (!list_is_empty(&set->turns))
        come_back(set, 0);
}

/* --- turns --- */

/* False: no more pages may be asked for at the moment. */
static bool take_turn(struct catching *catching)
{
    struct catching_set *set = catching->set;

    if (finish_if_done(catching) || !has_room(catching))
        return true;
    bool may_ask = set->asked < AT_ONCE;
    if (may_ask && ask(catching))
        return true;
    list_append(&set->turns, &catching->turn);
    if (may_ask)
        come_back(set, AGAIN_MS);
    return false;
}

/* A page that comes while one is asked for takes none: nothing nests. */
static void take_turns(struct catching_set *set)
{
    struct list_node *node;
    bool goes_on = true;

    if (set->is_turning)
        return;
    set->is_turning = true;
    for (int i = 0; i < PER_TURN && goes_on && (node = list_first(&set->turns)); i++) {
        list_remove(node);
        goes_on = take_turn((struct catching *)node);
    }
    set->is_turning = false;
    if (goes_on && !list_is_empty(&set->turns))
        come_back(set, 0);
}

static void on_timer(uv_timer_t *timer)
{
    take_turns(timer->data);
}

/* --- what sessions say --- */

static bool copy_past(struct catching *catching, const struct catching_wish *wish)
{
    size_t bytes = wish->past_count * sizeof *wish->past;

    for (size_t i = 0; i < wish->past_count; i++)
        bytes += wish->past[i].room.name.len;
    catching->past = malloc(bytes + 1);
    if (!catching->past)
        return false;
    char *at = (char *)(catching->past + wish->past_count);
    for (size_t i = 0; i < wish->past_count; i++) {
        struct slice name = wish->past[i].room.name;
        catching->past[i] = wish->past[i];
        catching->past[i].room.nsp = catching->session->voice->nsp;
        catching->past[i].room.name.ptr = at;
        if (name.len)
            memcpy(at, name.ptr, name.len);
        at += name.len;
        past_reading_reach_back(&catching->reading, wish->past[i].base);
    }
    catching->past_count = wish->past_count;
    return true;
}

enum status catching_begin(struct catching_set *set, struct session *session,
                           const struct catching_wish *wish)
{
    struct catching *catching = session->catching ? NULL : calloc(1, sizeof *catching);
    struct position head;

    if (session->catching)
        return ST_CONFLICT;
    if (!catching)
        return ST_NO_MEMORY;
    set->engine->ops->head(set->engine, &head);
    *catching = (struct catching){
        .set = set,
        .session = session,
        .from = wish->from,
        .wants = wish->wants,
        .on_proven = wish->on_proven,
        .on_done = wish->on_done,
        .ctx = wish->ctx,
        .is_live = wish->is_live,
    };
    past_reading_begin(&catching->reading, wish->from, head.seq, !wish->on_proven);
    if (!copy_past(catching, wish)) {
        free(catching);
        return ST_NO_MEMORY;
    }
    set->count++;
    session->catching = catching;
    session_set_direct(session, -1);
    /* Where nothing was missed there is nothing to ask. */
    if (catching->on_proven && past_reading_is_over(&catching->reading))
        tell_proven(catching, ST_OK);
    else
        want_turn(catching, 0);
    return ST_OK;
}

void catching_go(struct catching *catching)
{
    struct connection *connection = catching->session->connection;
    struct session *session = session_share(catching->session);
    uint32_t i = 0;

    past_reading_go(&catching->reading);
    while (session->catching == catching && i < catching->ready.count)
        connection_send_later(connection, frame_queue_at(&catching->ready, i++));
    if (session->catching == catching) {
        frame_queue_finish(&catching->ready);
    }
    connection_set_flush(connection->set);
    if (session->catching == catching && !finish_if_done(catching))
        want_turn(catching, 0);
    session_drop(session);
}

/* What is held is read instead. */
static void read_held(struct catching *catching)
{
    struct position head;

    session_forget_held(catching->session);
    catching->set->engine->ops->head(catching->set->engine, &head);
    past_reading_extend(&catching->reading, head.seq);
    catching_drained(catching);
}

enum status catching_hold(struct catching *catching, struct frame *frame)
{
    /* The event at hand is the last one that was applied. */
    if (session_hold(catching->session, frame))
        read_held(catching);
    return ST_OK;
}

void catching_left(struct session *session)
{
    struct catching *catching = session->catching;

    if (!catching)
        return;
    if (catching->asked) {
        catching->asked->catching = NULL;
        catching->asked = NULL;
        want_turn(catching, 0);
    }
    read_held(catching);
}

void catching_drained(struct catching *catching)
{
    if (catching->reading.is_going && !catching->asked && !catching->turn.next)
        want_turn(catching, 0);
}

uint64_t catching_position(const struct catching *catching)
{
    return catching->reading.position;
}

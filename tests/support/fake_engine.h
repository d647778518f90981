/*
 * An engine for tests of the gateway: the directory answers in the next turn of the loop,
 * and events come when the test says so. One thread.
 */
#ifndef TESTS_SUPPORT_FAKE_ENGINE_H
#define TESTS_SUPPORT_FAKE_ENGINE_H

#include "bridge/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
    FAKE_WAITING = 64,
    FAKE_LOG = 16,
};

struct fake_engine {
    struct engine base;
    uv_idle_t turn;
    const struct engine_listener *listener;
    void *ctx;
    struct position head;
    enum status put_answer; /* what the directory says */
    bool is_silent;         /* it says nothing until this is cleared */
    bool is_down;           /* as its is_ready tells */
    struct {
        engine_done_fn *on_done;
        void *ctx;
    } waiting[FAKE_WAITING];
    size_t waiting_count;
    struct {
        engine_kept_fn *on_kept;
        void *ctx;
    } publishing[FAKE_WAITING];
    size_t publishing_count;
    enum status publish_answer; /* what whoever keeps the log says; also at once: ST_BUSY
                                 */
    size_t published;
    struct buf last_published; /* the envelope */
    size_t puts, parks, drops, proofs;
    uint64_t last_parked; /* what the last park says is proven */
    bool is_retired;
    char last_rooms[16384];    /* of the last put, each followed by a comma */
    uint64_t first_joined_seq; /* of the last put's first room */
    size_t last_pid;           /* how long the last put's was */
    struct {
        engine_past_fn *on_past;
        void *ctx;
        size_t rooms;
    } past;                                /* waits for fake_engine_answer */
    struct engine_past_room past_rooms[8]; /* what was asked for; keys are not kept */
    bool keeps_log;                        /* then what is emitted can be replayed */
    struct buf log[FAKE_LOG];
    uint64_t log_seqs[FAKE_LOG];
    size_t log_count;
    const struct engine_session *found; /* whom a client comes back to; NULL: nobody, */
    enum status find_answer;            /* and why: ST_OK is ST_NOT_FOUND */
    bool holds_replay;                  /* until fake_engine_replayed */
    struct engine_replay replay;        /* that waits; its rooms are not kept */
    uint64_t replay_base;               /* of the last of them */
};

static void fake_subscribe(struct engine *engine, const struct engine_listener *listener,
                           void *ctx)
{
    struct fake_engine *fake = (struct fake_engine *)engine;

    fake->listener = listener;
    fake->ctx = ctx;
}

static void fake_head(struct engine *engine, struct position *position)
{
    *position = ((struct fake_engine *)engine)->head;
}

static void fake_session_put(struct engine *engine, const struct engine_session *session,
                             engine_done_fn *on_done, void *ctx)
{
    struct fake_engine *fake = (struct fake_engine *)engine;

    fake->puts++;
    fake->last_pid = session->pid.len;
    fake->last_rooms[0] = '\0';
    fake->first_joined_seq = session->room_count ? session->rooms[0].joined_seq : 0;
    for (size_t i = 0; i < session->room_count; i++) {
        strncat(fake->last_rooms, session->rooms[i].name.ptr, session->rooms[i].name.len);
        strcat(fake->last_rooms, ",");
    }
    if (!on_done)
        return;
    if (fake->waiting_count == FAKE_WAITING)
        abort();
    fake->waiting[fake->waiting_count].on_done = on_done;
    fake->waiting[fake->waiting_count++].ctx = ctx;
}

static void fake_session_drop(struct engine *engine, struct slice sid,
                              uint64_t generation)
{
    (void)sid;
    (void)generation;
    ((struct fake_engine *)engine)->drops++;
}

static void fake_session_park(struct engine *engine, struct slice sid,
                              uint64_t generation, uint64_t proven)
{
    (void)sid;
    (void)generation;
    ((struct fake_engine *)engine)->parks++;
    ((struct fake_engine *)engine)->last_parked = proven;
}

static void fake_session_prove(struct engine *engine, const struct engine_proof *proofs,
                               size_t count)
{
    (void)proofs;
    ((struct fake_engine *)engine)->proofs += count;
}

static void fake_past(struct engine *engine, const struct engine_past *wish,
                      engine_past_fn *on_past, void *ctx)
{
    struct fake_engine *fake = (struct fake_engine *)engine;

    if (fake->past.on_past || wish->count > 8)
        abort();
    fake->past.on_past = on_past;
    fake->past.ctx = ctx;
    fake->past.rooms = wish->count;
    memcpy(fake->past_rooms, wish->rooms, wish->count * sizeof *wish->rooms);
}

/* Every event is for every room here. */
static void fake_replay(struct engine *engine, const struct engine_replay *wish)
{
    struct fake_engine *fake = (struct fake_engine *)engine;
    struct engine_event event = {.position = wish->from};

    if (fake->holds_replay) {
        fake->replay = *wish;
        fake->replay_base = wish->bases ? wish->bases[wish->room_count - 1] : 0;
        return;
    }
    for (size_t i = 0; i < fake->log_count; i++) {
        event.position.seq = fake->log_seqs[i];
        event.envelope = buf_slice(&fake->log[i]);
        if (event.position.seq > wish->from.seq && event.position.seq <= wish->to)
            wish->on_event(wish->ctx, &event);
    }
    wish->on_done(wish->ctx, ST_OK, wish->to);
}

static void fake_session_find(struct engine *engine, struct slice pid,
                              engine_found_fn *on_found, void *ctx)
{
    const struct fake_engine *fake = (struct fake_engine *)engine;

    (void)pid;
    bool is_nobody = !fake->found && fake->find_answer == ST_OK;
    on_found(ctx, is_nobody ? ST_NOT_FOUND : fake->find_answer, fake->found, SLICE("g2"));
}

static enum status fake_publish(struct engine *engine, struct slice envelope,
                                bool is_volatile, engine_kept_fn *on_kept, void *ctx)
{
    struct fake_engine *fake = (struct fake_engine *)engine;

    (void)is_volatile;
    if (fake->publish_answer == ST_BUSY)
        return ST_BUSY;
    if (fake->publishing_count == FAKE_WAITING)
        abort();
    fake->published++;
    fake->last_published.max = LIMIT_ENVELOPE_BYTES;
    buf_clear(&fake->last_published);
    buf_add(&fake->last_published, envelope);
    fake->publishing[fake->publishing_count].on_kept = on_kept;
    fake->publishing[fake->publishing_count++].ctx = ctx;
    return ST_OK;
}

static void fake_publish_turn(struct fake_engine *fake)
{
    size_t count = fake->publishing_count;
    struct position position = fake->head;

    position.seq++; /* it is on its way */
    fake->publishing_count = 0;
    for (size_t i = 0; i < count; i++)
        fake->publishing[i].on_kept(fake->publishing[i].ctx, fake->publish_answer,
                                    &position);
}

static void fake_turn(uv_idle_t *turn)
{
    struct fake_engine *fake = turn->data;
    size_t count = fake->waiting_count;

    if (fake->is_silent)
        return;
    fake_publish_turn(fake);
    fake->waiting_count = 0;
    for (size_t i = 0; i < count; i++)
        fake->waiting[i].on_done(fake->waiting[i].ctx, fake->put_answer);
}

static bool fake_is_ready(struct engine *engine)
{
    return !((struct fake_engine *)engine)->is_down;
}

static void fake_retire(struct engine *engine)
{
    ((struct fake_engine *)engine)->is_retired = true;
}

static bool fake_is_written(struct engine *engine)
{
    return ((struct fake_engine *)engine)->waiting_count == 0;
}

static const struct engine_ops fake_ops = {
    .name = "fake",
    .publish = fake_publish,
    .subscribe = fake_subscribe,
    .head = fake_head,
    .is_ready = fake_is_ready,
    .past = fake_past,
    .replay = fake_replay,
    .session_find = fake_session_find,
    .session_put = fake_session_put,
    .session_park = fake_session_park,
    .session_drop = fake_session_drop,
    .session_prove = fake_session_prove,
    .retire = fake_retire,
    .is_written = fake_is_written,
};

static inline void fake_engine_init(struct fake_engine *fake, uv_loop_t *loop)
{
    *fake = (struct fake_engine){
        .base.ops = &fake_ops, .head = {.epoch = 7, .seq = 40}
    };
    uv_idle_init(loop, &fake->turn);
    fake->turn.data = fake;
    uv_idle_start(&fake->turn, fake_turn);
}

/* What the log says of the past: `before` events before each room's end, or why not. */
static inline void fake_engine_answer(struct fake_engine *fake, enum status status,
                                      uint64_t before)
{
    engine_past_fn *on_past = fake->past.on_past;
    struct engine_past_range ranges[8];
    uint64_t joined = fake->first_joined_seq;

    fake->past.on_past = NULL;
    for (size_t i = 0; i < fake->past.rooms; i++)
        ranges[i] = (struct engine_past_range){joined - before, joined, false};
    on_past(fake->past.ctx, status, status ? NULL : ranges, (uint32_t)before);
}

/* What becomes of the replay that was held, without an event. */
static inline void fake_engine_replayed(struct fake_engine *fake, enum status status)
{
    const struct engine_replay wish = fake->replay;

    fake->holds_replay = false;
    wish.on_done(wish.ctx, status, wish.from.seq);
}

static inline void fake_engine_keep(struct fake_engine *fake, struct slice envelope)
{
    struct buf *kept = &fake->log[fake->log_count % FAKE_LOG];

    if (!fake->keeps_log || fake->log_count == FAKE_LOG)
        return;
    *kept = (struct buf){.max = LIMIT_ENVELOPE_BYTES};
    buf_add(kept, envelope);
    fake->log_seqs[fake->log_count++] = fake->head.seq;
}

static inline void fake_engine_finish(struct fake_engine *fake)
{
    for (size_t i = 0; i < fake->log_count; i++)
        buf_finish(&fake->log[i]);
    buf_finish(&fake->last_published);
}

/* An event to one target, as the bus would bring it. */
static inline void fake_engine_emit(struct fake_engine *fake,
                                    const struct envelope *envelope, bool has_more)
{
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    struct engine_event event = {.has_more = has_more};

    envelope_encode(envelope, &wire);
    fake->head.seq++;
    event.position = fake->head;
    event.envelope = buf_slice(&wire);
    fake_engine_keep(fake, event.envelope);
    fake->listener->on_event(fake->ctx, &event);
    if (!has_more)
        fake->listener->on_settled(fake->ctx);
    buf_finish(&wire);
}

#endif

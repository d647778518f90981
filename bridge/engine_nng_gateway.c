/*
 * A gateway's end of the nng engine: the stream of events, the sessions, and whether both
 * are there. Four threads: the loop (everything in this file), the one that receives, and
 * one for each of the two request links.
 */
#include "bridge/engine_nng.h"

#include "bridge/clock.h"
#include "bridge/engine_nng_replay.h"
#include "bridge/engine_nng_sessions.h"
#include "bridge/engine_nng_stream.h"

#include <assert.h>
#include <stdlib.h>

enum {
    MAX_PER_TURN = 16, /* bus messages, answers */
    INBOX_BYTES = 16 * 1024 * 1024,
    TICK_MS = 100,
};

/* Never freed: the waiting threads outlive close, and the process ends soon after. */
struct gateway_engine {
    struct engine base;
    struct door door;
    struct stream *stream;
    struct replayer *replayer;
    struct recent *recent;
    struct sessions *sessions;
    const struct engine_listener *listener;
    void *ctx;
    uv_timer_t tick;
    struct link links[LINK_KIND_COUNT];
    struct link_complaint complaint;
    const struct logger *log;
    uint64_t now_ms; /* counted in ticks, so that a stopped process has not waited */
    bool is_ready;
    bool is_retired; /* and takes nobody new */
    bool is_closed;
};

static struct gateway_engine *self_of(struct engine *engine)
{
    return (struct gateway_engine *)engine;
}

static void update_ready(struct gateway_engine *self)
{
    if (!self->listener)
        return; /* not ready yet, and nobody to tell */

    bool is_ready = stream_is_ready(self->stream) && sessions_is_ready(self->sessions);
    if (is_ready == self->is_ready)
        return;
    self->is_ready = is_ready;
    if (self->listener->on_ready)
        self->listener->on_ready(self->ctx, is_ready);
}

static void on_tick(uv_timer_t *timer)
{
    struct gateway_engine *self = timer->data;

    self->now_ms += TICK_MS;
    link_complain(self->links, &self->complaint, self->log, self->now_ms);
    link_dial_again(self->links, self->log, self->now_ms);
    replayer_tick(self->replayer, self->now_ms);
    if (!self->is_closed)
        sessions_tick(self->sessions, self->now_ms, self->is_ready && !self->is_retired);
    if (!self->is_closed)
        stream_tick(self->stream, self->now_ms);
    if (!self->is_closed)
        update_ready(self);
}

static void on_forgotten(void *ctx)
{
    struct gateway_engine *self = ctx;

    if (self->listener && self->listener->on_forgotten)
        self->listener->on_forgotten(self->ctx);
}

static void on_moved(void *ctx, struct slice sid, uint64_t generation)
{
    struct gateway_engine *self = ctx;

    if (self->listener && self->listener->on_moved)
        self->listener->on_moved(self->ctx, sid, generation);
}

static void on_fenced(void *ctx)
{
    struct gateway_engine *self = ctx;

    if (self->listener && self->listener->on_fenced)
        self->listener->on_fenced(self->ctx);
}

/*
 * The directory hears nothing before: who joined while no event could be heard would be
 * counted, and miss what was published until the beginning.
 */
static void on_begun(void *ctx)
{
    struct gateway_engine *self = ctx;

    sessions_open(self->sessions);
}

/* A connection of the bus, on its way from the library's thread to the loop. */
struct pipe_news {
    struct inbox_item item;
    struct gateway_engine *engine;
};

static void run_pipe_news(struct inbox_item *item)
{
    struct pipe_news *news = (struct pipe_news *)item;

    stream_ask(news->engine->stream);
    free(news);
}

static void drop_pipe_news(struct inbox_item *item)
{
    free(item);
}

static void on_pipe(void *ctx)
{
    struct gateway_engine *self = ctx;
    struct pipe_news *news = malloc(sizeof *news);

    if (!news)
        return; /* the silence before it is noticed by the tick */
    *news = (struct pipe_news){
        {.run = run_pipe_news, .drop = drop_pipe_news},
        self
    };
    if (door_put(&self->door, &news->item))
        free(news);
}

static enum status open_links(struct gateway_engine *self, const char *url,
                              struct slice secret, const char **reason)
{
    enum status st = link_trust(url, secret, reason);
    struct link_url at;

    for (int kind = 0; !st && kind < LINK_KIND_COUNT; kind++) {
        st = link_url(url, (enum link_kind)kind, &at, reason);
        if (!st)
            st = link_dial((enum link_kind)kind, &at, secret,
                           kind == LINK_EVENTS ? on_pipe : NULL, self, &self->links[kind],
                           reason);
    }
    return st;
}

static enum status start_parts(struct gateway_engine *self,
                               const struct engine_config *config)
{
    self->recent = recent_create(); /* without it all is asked for */
    self->replayer = replayer_start(self->links[LINK_REPLAY], &self->door, self->recent,
                                    config->metrics);
    if (!self->replayer)
        return ST_NO_MEMORY;

    struct stream_config stream = {
        .link = self->links[LINK_EVENTS],
        .door = &self->door,
        .replayer = self->replayer,
        .recent = self->recent,
        .metrics = config->metrics,
        .log = config->log,
        .on_begun = on_begun,
        .ctx = self,
    };
    struct sessions_config sessions = {
        .link = self->links[LINK_DIRECTORY],
        .door = &self->door,
        .gateway_id = config->gateway_id,
        .metrics = config->metrics,
        .log = config->log,
        .on_forgotten = on_forgotten,
        .on_moved = on_moved,
        .on_fenced = on_fenced,
        .ctx = self,
    };
    self->stream = stream_create(&stream);
    self->sessions = sessions_start(&sessions);
    return self->stream && self->sessions ? ST_OK : ST_NO_MEMORY;
}

enum status engine_nng_gateway_open(const struct engine_config *config,
                                    struct engine **engine, const char **reason)
{
    struct gateway_engine *self = calloc(1, sizeof *self);

    *reason = "out of memory";
    if (!self)
        return ST_NO_MEMORY;
    self->base.ops = &engine_nng_gateway;
    self->log = config->log;
    self->now_ms = clock_ms();
    enum status st = door_open(&self->door, config->loop, INBOX_BYTES, MAX_PER_TURN);
    if (!st)
        st = open_links(self, config->url, slice_of(config->secret), reason);
    if (!st) {
        *reason = "out of memory";
        st = start_parts(self, config);
    }
    if (st)
        return st; /* the library may call on_pipe: the process gives up */

    uv_timer_init(config->loop, &self->tick);
    self->tick.data = self;
    uv_timer_start(&self->tick, on_tick, TICK_MS, TICK_MS);
    *engine = &self->base;
    return ST_OK;
}

static void subscribe(struct engine *engine, const struct engine_listener *listener,
                      void *ctx)
{
    struct gateway_engine *self = self_of(engine);

    assert(!self->listener);
    self->listener = listener;
    self->ctx = ctx;
    stream_begin(self->stream, listener, ctx);
}

static void replay(struct engine *engine, const struct engine_replay *wish)
{
    struct gateway_engine *self = self_of(engine);

    replayer_rooms(self->replayer, wish, self->now_ms);
}

static void marks(struct engine *engine, const struct room_key *rooms, size_t count,
                  engine_marks_fn *on_marks, void *ctx)
{
    struct gateway_engine *self = self_of(engine);

    replayer_marks(self->replayer, rooms, count, on_marks, ctx, self->now_ms);
}

static void past(struct engine *engine, const struct engine_past *wish,
                 engine_past_fn *on_past, void *ctx)
{
    struct gateway_engine *self = self_of(engine);

    replayer_past(self->replayer, wish, on_past, ctx, self->now_ms);
}

static void head(struct engine *engine, struct position *position)
{
    stream_head(self_of(engine)->stream, position);
}

static enum status publish(struct engine *engine, struct slice envelope, bool is_volatile,
                           engine_kept_fn *on_kept, void *ctx)
{
    return sessions_publish(self_of(engine)->sessions, envelope, is_volatile, on_kept,
                            ctx);
}

static void session_put(struct engine *engine, const struct engine_session *session,
                        engine_done_fn *on_done, void *ctx)
{
    sessions_put(self_of(engine)->sessions, session, on_done, ctx);
}

static void session_park(struct engine *engine, struct slice sid, uint64_t generation,
                         uint64_t proven)
{
    struct position position;

    head(engine, &position);
    position.seq = proven;
    sessions_park(self_of(engine)->sessions, sid, generation, &position);
}

static void session_prove(struct engine *engine, const struct engine_proof *proofs,
                          size_t count)
{
    struct position position;

    head(engine, &position);
    sessions_prove(self_of(engine)->sessions, position.epoch, proofs, count);
}

static void session_drop(struct engine *engine, struct slice sid, uint64_t generation)
{
    sessions_drop(self_of(engine)->sessions, sid, generation);
}

static void session_find(struct engine *engine, struct slice pid,
                         engine_found_fn *on_found, void *ctx)
{
    sessions_find(self_of(engine)->sessions, pid, on_found, ctx);
}

static void user_seen(struct engine *engine, struct slice nsp, struct slice user,
                      engine_seen_fn *on_seen, void *ctx)
{
    sessions_seen(self_of(engine)->sessions, nsp, user, on_seen, ctx);
}

static void retire(struct engine *engine)
{
    struct gateway_engine *self = self_of(engine);

    self->is_retired = true;
    if (!self->is_closed)
        sessions_tick(self->sessions, self->now_ms, false);
}

static bool is_written(struct engine *engine)
{
    return sessions_are_written(self_of(engine)->sessions);
}

static bool is_ready(struct engine *engine)
{
    return self_of(engine)->is_ready;
}

static const char *durability(struct engine *engine)
{
    (void)engine;
    return "memory";
}

static void close_gateway(struct engine *engine)
{
    struct gateway_engine *self = self_of(engine);

    if (self->is_closed)
        return;
    self->is_closed = true;
    self->is_ready = false;
    stream_stop(self->stream);
    replayer_stop(self->replayer);
    sessions_leave(self->sessions);
    sessions_stop(self->sessions);
    door_shut(&self->door);
    uv_close((uv_handle_t *)&self->tick, NULL);
}

const struct engine_ops engine_nng_gateway = {
    .name = "nng",
    .publish = publish,
    .subscribe = subscribe,
    .replay = replay,
    .marks = marks,
    .past = past,
    .head = head,
    .session_put = session_put,
    .session_park = session_park,
    .session_drop = session_drop,
    .session_prove = session_prove,
    .session_find = session_find,
    .user_seen = user_seen,
    .retire = retire,
    .is_written = is_written,
    .is_ready = is_ready,
    .durability = durability,
    .close = close_gateway,
};

/*
 * The publisher's end of the nng engine: the log, the directory, and who serves them.
 * Four threads: the loop (everything in this file), the writer, and the two that answer.
 */
#include "bridge/engine_nng.h"

#include "bridge/clock.h"
#include "bridge/directory.h"
#include "bridge/directory_serve.h"
#include "bridge/engine_nng_serve.h"
#include "bridge/engine_nng_writer.h"
#include "bridge/lifecycle.h"
#include "bridge/random.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_PER_TURN = 16, /* inbox items: batches of answers, directory requests */
    TICK_MS = 100,
    STUCK_MS = 1000, /* of one write: the supervisor blames the bus after 3 s */
    PROOFS_MS = 10000,
    PROOFS_AT_ONCE = 1000, /* of a tick */
};

/* What a thread is at, as the ticks find it. */
struct work {
    unsigned turn; /* odd: it is at something, and at something else each time */
    uint64_t ms;   /* for so long at the same thing */
};

/* Never freed: the answering threads outlive close, and the process ends soon after. */
struct log_engine {
    struct engine base;
    const struct logger *log;
    struct metrics *metrics;
    struct door door;
    struct event_log *events;
    struct directory *directory;
    struct writer *writer;
    uv_timer_t tick;
    uint64_t now_ms;       /* counted in ticks: a stopped process could not listen, */
    struct work answering; /* nor can the directory's thread while it is at one request */
    atomic_uint answering_turn;
    struct work writing;
    struct link links[LINK_KIND_COUNT];
    struct link_complaint complaint;
    const char *durability;
    uint64_t proofs_due_ms;
    int lock;     /* of the bus's folder: held, never closed */
    bool is_down; /* at the last tick: the log could not be written */
    bool is_closed;
};

static struct log_engine *self_of(struct engine *engine)
{
    return (struct log_engine *)engine;
}

/*
 * A log that turns out to be damaged is mended by a start: it checks every row, moves the
 * file aside and begins a new epoch, and whoever supervises the process starts it.
 */
static void give_up_if_lost(struct log_engine *self)
{
    struct event_log_state state;

    event_log_state(self->events, &state);
    self->is_down = state.is_down;
    if (!state.is_lost)
        return;
    log_error(self->log, "the log is damaged: a new start will move it aside",
              LOG_NUM("head", state.head.seq));
    lifecycle_exit(1);
}

static bool is_durable(const struct log_engine *self)
{
    return strcmp(self->durability, "memory") != 0;
}

/* --- sessions that are kept for the next start --- */

static void restore_session(void *ctx, struct slice bytes, uint64_t age_ms)
{
    struct log_engine *self = ctx;
    struct directory_record record;
    struct directory_kept kept;
    struct engine_membership *rooms;

    if (directory_record_decode(bytes, &record) ||
        !directory_decode_session(&record.session, &kept.session, &rooms))
        return;
    kept.gateway = record.gateway;
    kept.is_parked = record.is_parked;
    directory_restore(self->directory, &kept, age_ms, self->now_ms);
    free(rooms);
}

static void restore_published(void *ctx, struct slice name, struct slice bytes)
{
    struct log_engine *self = ctx;
    struct directory_published published;

    if (!directory_published_decode(bytes, &published))
        directory_restore_published(self->directory, name, &published);
}

static void forget_session(void *ctx, struct slice sid)
{
    struct log_engine *self = ctx;

    writer_record(self->writer, EVENT_LOG_SESSION, sid, (struct slice){0});
}

static void write_session(void *ctx, struct slice sid)
{
    struct log_engine *self = ctx;
    struct buf record = {0};

    serve_record(self->directory, self->writer, sid, &record);
    buf_finish(&record);
}

/*
 * How far clients have got changes with each pong. A proof costs 0.2 us in memory and 3
 * us of the writer's as a row, and would spread over all pages of the table: they gather,
 * and each PROOFS_MS what has changed is written once, a slice at a time. One that is
 * lost with the process lets a quiet client ask for a little more of the log than it
 * needs.
 */
static void write_proofs(struct log_engine *self)
{
    if (self->is_down || self->now_ms < self->proofs_due_ms)
        return;
    if (writer_take_loss(self->writer))
        directory_unwrite(self->directory);
    if (directory_unwritten(self->directory, PROOFS_AT_ONCE, write_session, self) <
        PROOFS_AT_ONCE)
        self->proofs_due_ms = self->now_ms + PROOFS_MS;
}

/* Nobody is told of a session's end before that; all of them are parked. */
static enum status open_directory(struct log_engine *self,
                                  const struct engine_config *config)
{
    struct hash_key hash_key = random_hash_key();
    const struct directory_parking parking = {
        .window_ms = config->recovery_ms,
        .max = LIMIT_DIRECTORY_PARKED,
        .max_bytes = LIMIT_DIRECTORY_PARKED_BYTES,
        .is_kept = is_durable(self),
    };

    self->directory = directory_create(&hash_key, self->now_ms);
    if (!self->directory)
        return ST_NO_MEMORY;
    directory_expect(self->directory, config->gateway_count);
    directory_set_parking(self->directory, &parking);
    event_log_sessions(self->events, restore_session, self);
    event_log_notes(self->events, EVENT_LOG_GATEWAY, restore_published, self);
    return ST_OK;
}

static void show_parked(const struct log_engine *self)
{
    struct directory_parked parked;

    directory_parked(self->directory, &parked);
    metrics_set(self->metrics, METRIC_SESSIONS_PARKED, parked.count);
    metrics_set(self->metrics, METRIC_SESSIONS_EVICTED, parked.evicted);
}

static void look_at(struct work *work, unsigned turn)
{
    bool is_same = turn % 2 != 0 && turn == work->turn;

    work->ms = is_same ? work->ms + TICK_MS : 0;
    work->turn = turn;
}

/* A disk that stands still says nothing: who waits for it does not fail either. */
static bool can_write(const struct log_engine *self)
{
    return !self->is_down && self->writing.ms < STUCK_MS;
}

/* Counts are not complete while nobody listens, as they are not while gateways are
 * silent; beyond its lease one would have nobody. */
static uint64_t asked_ms(const struct log_engine *self)
{
    bool is_deaf = self->answering.ms >= DIRECTORY_SILENT_MS;

    return self->now_ms + (is_deaf ? DIRECTORY_SILENT_MS : 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct log_engine *self = timer->data;

    give_up_if_lost(self);
    look_at(&self->writing, writer_turn(self->writer));
    metrics_set(self->metrics, METRIC_LOG_DOWN, !can_write(self));

    look_at(&self->answering, atomic_load(&self->answering_turn));
    if (self->answering.ms == 0)
        self->now_ms += TICK_MS;
    directory_expire(self->directory, self->now_ms);
    write_proofs(self);
    show_parked(self);
    link_complain(self->links, &self->complaint, self->log, self->now_ms);
}

static enum status open_links(const char *url, struct slice secret,
                              struct link links[LINK_KIND_COUNT], int *lock,
                              const char **reason)
{
    struct link_url at;

    enum status st = link_trust(url, secret, reason);
    if (!st)
        st = link_folder_claim(url, lock, reason);
    for (int kind = 0; !st && kind < LINK_KIND_COUNT; kind++) {
        st = link_url(url, (enum link_kind)kind, &at, reason);
        if (!st)
            st = link_listen((enum link_kind)kind, &at, secret, &links[kind], reason);
    }
    return st;
}

static const char *durability_of(const struct engine_config *config)
{
    static const char *const names[] = {"memory", "log", "fsync"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (config->durability && strcmp(config->durability, names[i]) == 0)
            return names[i];
    return names[0];
}

static enum status open_log(const struct engine_config *config, struct event_log **log,
                            const char **reason)
{
    const char *durability = durability_of(config);
    const struct event_log_config wanted = {
        .log = config->log,
        .folder = config->data_dir,
        .syncs = strcmp(durability, "fsync") == 0,
        .key_age_ms = config->key_age_ms,
        .mark_age_ms = config->mark_age_ms,
        .session_age_ms = config->recovery_ms,
        .keep = {config->keep.age_ms, config->keep.events, config->keep.bytes},
    };

    if (strcmp(durability, "memory") != 0)
        return event_log_open(&wanted, log, reason);
    *log = event_log_create(event_log_random_epoch(), &wanted.keep);
    return *log ? ST_OK : ST_NO_MEMORY;
}

static enum status start_parts(struct log_engine *self,
                               const struct engine_config *config,
                               const struct link links[LINK_KIND_COUNT])
{
    if (open_directory(self, config) ||
        door_open(&self->door, config->loop, LIMIT_APPEND_BYTES, MAX_PER_TURN))
        return ST_NO_MEMORY;

    struct writer_config writer = {config->loop, self->events, links[LINK_EVENTS],
                                   &self->door, config->metrics};
    self->writer = writer_start(&writer);
    if (!self->writer)
        return ST_NO_MEMORY;
    if (is_durable(self))
        directory_on_gone(self->directory, forget_session, self);
    const struct serve_config directory = {
        .link = links[LINK_DIRECTORY],
        .door = &self->door,
        .directory = self->directory,
        .now_ms = &self->now_ms,
        .turn = &self->answering_turn,
        .writer = self->writer,
        .keeps_records = is_durable(self),
    };
    enum status st = serve_replay(links[LINK_REPLAY], self->events);
    return st ? st : serve_directory(&directory);
}

enum status engine_nng_log_open(const struct engine_config *config,
                                struct engine **engine, const char **reason)
{
    struct link links[LINK_KIND_COUNT];
    struct event_log *events;
    int lock;

    /* The log before the bus: nobody is listened to whose events could not be kept. */
    enum status st = open_log(config, &events, reason);
    if (st)
        return st;
    st = open_links(config->url, slice_of(config->secret), links, &lock, reason);
    if (st) {
        event_log_destroy(events);
        return st;
    }

    *reason = "out of memory";
    struct log_engine *self = calloc(1, sizeof *self);
    if (!self)
        return ST_NO_MEMORY;
    self->base.ops = &engine_nng_log;
    self->now_ms = clock_ms();
    self->log = config->log;
    self->metrics = config->metrics;
    self->events = events;
    self->durability = durability_of(config);
    self->lock = lock;
    memcpy(self->links, links, sizeof links);
    self->tick.data = self;
    uv_timer_init(config->loop, &self->tick);
    st = start_parts(self, config, links);
    if (st)
        return st; /* threads and the loop have it already: the process gives up */
    uv_timer_start(&self->tick, on_tick, TICK_MS, TICK_MS);
    *engine = &self->base;
    return ST_OK;
}

static enum status append(struct engine *engine, const struct engine_append *what,
                          engine_kept_fn *on_kept, void *ctx)
{
    struct log_engine *self = self_of(engine);

    if (!what->note)
        return writer_append(self->writer, what, NULL, on_kept, ctx);
    const struct event_log_record user = {
        .subject = EVENT_LOG_USER,
        .name = what->note->name,
        .bytes = what->note->bytes,
    };
    return writer_append(self->writer, what, &user, on_kept, ctx);
}

static void note(struct engine *engine, const struct engine_note *alone)
{
    struct log_engine *self = self_of(engine);

    if (!self->is_closed)
        writer_record(self->writer, EVENT_LOG_USER, alone->name, alone->bytes);
}

struct note_visit {
    engine_note_fn *visit;
    void *ctx;
};

static void visit_note(void *ctx, struct slice name, struct slice bytes)
{
    const struct note_visit *notes = ctx;
    const struct engine_note found = {name, bytes};

    notes->visit(notes->ctx, &found);
}

static void notes(struct engine *engine, engine_note_fn *visit, void *ctx)
{
    struct note_visit notes = {visit, ctx};

    event_log_notes(self_of(engine)->events, EVENT_LOG_USER, visit_note, &notes);
}

static void watch(struct engine *engine, const struct engine_watcher *watcher, void *ctx)
{
    struct log_engine *self = self_of(engine);

    directory_watch(self->directory, watcher, ctx);
}

static void keys(struct engine *engine, engine_key_fn *visit, void *ctx)
{
    event_log_keys(self_of(engine)->events, visit, ctx);
}

static void head(struct engine *engine, struct position *position)
{
    writer_head(self_of(engine)->writer, position);
}

static void count(struct engine *engine, struct slice nsp,
                  const struct envelope_target *targets, size_t target_count,
                  const struct slice *except, size_t except_count,
                  engine_count_fn *on_count, void *ctx)
{
    struct log_engine *self = self_of(engine);
    struct engine_count found;

    directory_count(self->directory, asked_ms(self), nsp, targets, target_count, except,
                    except_count, &found);
    on_count(ctx, &found);
}

static void members(struct engine *engine, const struct room_key *room,
                    struct slice cursor, size_t limit, engine_page_fn *on_page, void *ctx)
{
    directory_members(self_of(engine)->directory, room, cursor, limit, on_page, ctx);
}

static void totals(struct engine *engine, struct engine_totals *found)
{
    struct log_engine *self = self_of(engine);

    directory_totals(self->directory, asked_ms(self), found);
}

static void gateways(struct engine *engine, engine_gateway_fn *visit, void *ctx)
{
    struct log_engine *self = self_of(engine);

    directory_gateways(self->directory, self->now_ms + self->answering.ms, visit, ctx);
}

static bool is_ready(struct engine *engine)
{
    struct log_engine *self = self_of(engine);

    return !self->is_closed && can_write(self);
}

static const char *durability(struct engine *engine)
{
    return self_of(engine)->durability;
}

static void close_log(struct engine *engine)
{
    struct log_engine *self = self_of(engine);

    if (self->is_closed)
        return;
    self->is_closed = true;
    writer_stop(self->writer);
    event_log_close(self->events);
    door_shut(&self->door); /* the last answers run here */
    uv_close((uv_handle_t *)&self->tick, NULL);
}

const struct engine_ops engine_nng_log = {
    .name = "nng",
    .append = append,
    .keys = keys,
    .note = note,
    .notes = notes,
    .watch = watch,
    .head = head,
    .count = count,
    .members = members,
    .totals = totals,
    .gateways = gateways,
    .is_ready = is_ready,
    .durability = durability,
    .close = close_log,
};

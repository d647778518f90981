/* Between the directory and the log: see the header. */
#include "publisher-api/presence.h"

#include "bridge/clock.h"
#include "bridge/log_quota.h"
#include "bridge/random.h"
#include "proto/ident.h"
#include "publisher-api/presence_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 100,
    MAX_PER_TURN = 200,
    TRUE_EVERY_MS = 30000, /* it is noted that the notes are true */
};

struct presence {
    struct presence_config config;
    struct system *system;              /* NULL: none */
    const struct presence_rules *rules; /* NULL: off */
    struct presence_table *table;       /* the same */
    uint64_t generation;                /* of the table */
    uv_timer_t timer;
    struct ident_ulids ulids;
    struct presence_event_maker maker;
    struct buf wire;
    struct log_quota lines;
    uint64_t noted_ms;
    size_t open; /* appends, and the timer */
};

static void release(struct presence *presence)
{
    if (--presence->open > 0)
        return;
    presence_event_finish(&presence->maker);
    buf_finish(&presence->wire);
    free(presence);
}

/* --- notes --- */

static void note(struct presence *presence, struct slice name,
                 const struct presence_note *what)
{
    struct engine *engine = presence->config.engine;
    char bytes[PRESENCE_NOTE_BYTES];
    struct buf out = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    if (what)
        presence_note_encode(what, &out);
    engine->ops->note(engine, &(struct engine_note){name, buf_slice(&out)});
}

/* The name of the note that says when the notes were true. */
static struct slice truth_name(char name[PRESENCE_NOTE_NAME_BYTES])
{
    return presence_note_name(name, (struct slice){0}, (struct slice){0});
}

static void note_truth(struct presence *presence)
{
    const struct presence_note truth = {.seen_ms = clock_wall_ms()};
    char name[PRESENCE_NOTE_NAME_BYTES];

    note(presence, truth_name(name), &truth);
    presence->noted_ms = clock_ms();
}

static void on_forget(void *ctx, struct slice name)
{
    struct presence *presence = ctx;

    if (!presence_rules_keep_last_seen(presence->rules))
        return; /* its note went when it was told */
    metrics_add(presence->config.metrics, METRIC_USERS_FORGOTTEN, 1);
    note(presence, name, NULL);
}

struct restoring {
    struct presence_table *table;
    int64_t true_ms;
};

static void restore(void *ctx, const struct engine_note *kept)
{
    struct restoring *restoring = ctx;
    char name[PRESENCE_NOTE_NAME_BYTES];
    struct presence_note what;
    struct slice nsp, user;

    if (presence_note_decode(kept->bytes, &what) ||
        !presence_note_parts(kept->name, &nsp, &user))
        return;
    if (slice_equal(kept->name, truth_name(name)))
        restoring->true_ms = what.seen_ms;
    else
        presence_table_restore(restoring->table, kept->name, &what);
}

static void restore_notes(struct presence *presence)
{
    struct restoring restoring = {.table = presence->table};
    struct engine *engine = presence->config.engine;

    engine->ops->notes(engine, restore, &restoring);
    presence_table_restored(presence->table, restoring.true_ms);
}

/* --- telling --- */

/* One piece of news on its way to the log. */
struct telling {
    struct presence *presence;
    struct presence_user *who;
    uint64_t generation;
};

static void on_kept(void *ctx, enum status status, const struct position *position)
{
    struct telling *telling = ctx;
    struct presence *presence = telling->presence;

    (void)position;
    if (!status)
        metrics_add(presence->config.metrics, METRIC_PRESENCE_TOLD, 1);
    if (telling->generation == presence->generation)
        presence_table_told(presence->table, telling->who, status == ST_OK, clock_ms());
    free(telling);
    release(presence);
}

static void log_failure(struct presence *presence, const char *event,
                        const struct template_failure *failure)
{
    char why[160];

    if (!log_quota_lets(&presence->lines, presence->config.log,
                        "lines about presence withheld", clock_ms()))
        return;
    snprintf(why, sizeof why, "{%.*s} %s", (int)slice_first(failure->placeholder, 60).len,
             failure->placeholder.ptr ? failure->placeholder.ptr : "",
             failure->reason ? failure->reason : "is too large, or names no room");
    log_info(presence->config.log, "presence was not told", LOG_TEXT("event", event),
             LOG_TEXT("why", why));
}

/* The user's own connections, as far as an event can leave them out. */
struct own_sids {
    struct slice sids[LIMIT_EXCEPT];
    char bytes[LIMIT_EXCEPT][LIMIT_SIO_SID_BYTES];
    size_t count;
};

static void add_own(void *ctx, enum status status, const struct engine_member *members,
                    size_t count, struct slice cursor)
{
    struct own_sids *own = ctx;

    (void)status;
    (void)cursor;
    for (size_t i = 0; i < count && own->count < LIMIT_EXCEPT; i++) {
        size_t n = own->count;
        if (members[i].sid.len > LIMIT_SIO_SID_BYTES)
            continue;
        memcpy(own->bytes[n], members[i].sid.ptr, members[i].sid.len);
        own->sids[own->count++] = (struct slice){own->bytes[n], members[i].sid.len};
    }
}

static enum status encode(struct presence *presence, const struct presence_news *news,
                          struct template_failure *failure)
{
    struct engine *engine = presence->config.engine;
    const struct room_key room = {news->nsp, ROOM_USER, news->user};
    uint8_t fresh[IDENT_UUID_RANDOM_BYTES];
    char id[IDENT_ULID_BYTES + 1], uuid[IDENT_UUID_BYTES + 1];
    struct own_sids own;

    own.count = 0;
    engine->ops->members(engine, &room, (struct slice){0}, LIMIT_EXCEPT, add_own, &own);
    random_bytes(fresh, sizeof fresh);
    ident_uuid(fresh, uuid);
    ident_ulid_next(&presence->ulids, clock_wall_ms(), fresh, id);
    const struct presence_event_parts parts = {
        .rules = presence->rules,
        .news = news,
        .id = slice_of(id),
        .uuid = slice_of(uuid),
        .now_ms = clock_wall_ms(),
        .accepted_us = clock_us(),
        .except = own.sids,
        .except_count = own.count,
    };
    buf_clear(&presence->wire);
    return presence_event_make(&presence->maker, &parts, &presence->wire, failure);
}

/* What is to be remembered of it: who comes was seen now. False: nothing. */
static bool note_of(const struct presence *presence, const struct presence_news *news,
                    struct presence_note *what)
{
    int64_t seen_ms = news->is_online ? clock_wall_ms() : news->last_seen_ms;

    *what = (struct presence_note){news->is_online, seen_ms};
    return news->is_online || presence_rules_keep_last_seen(presence->rules);
}

/* Hands the event to the log, and what is to be noted with it. */
static enum status append(struct presence *presence, const struct presence_news *news)
{
    struct engine *engine = presence->config.engine;
    struct telling *telling = malloc(sizeof *telling);
    char bytes[PRESENCE_NOTE_BYTES];
    struct buf out = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    struct presence_note what;

    if (!telling)
        return ST_NO_MEMORY;
    *telling = (struct telling){presence, news->who, presence->generation};
    if (note_of(presence, news, &what))
        presence_note_encode(&what, &out);
    const struct engine_note with = {news->name, buf_slice(&out)};
    const struct engine_entry entry = {.envelope = buf_slice(&presence->wire)};
    const struct engine_append event = {.entries = &entry, .count = 1, .note = &with};
    presence->open++;
    enum status st = engine->ops->append(engine, &event, on_kept, telling);
    if (st) {
        presence->open--;
        free(telling);
    }
    return st;
}

/* What has no event, or one that cannot be rendered, is noted all the same. */
static void note_alone(struct presence *presence, const struct presence_news *news)
{
    struct presence_note what;

    note(presence, news->name, note_of(presence, news, &what) ? &what : NULL);
    presence_table_told(presence->table, news->who, true, clock_ms());
}

static void tell(struct presence *presence, const struct presence_news *news)
{
    struct presence_event event = presence_rules_event(presence->rules, news->is_online);
    struct template_failure failure = {0};
    enum status st = ST_OK;

    if (!event.name || news->is_silent) {
        note_alone(presence, news);
        return;
    }
    st = encode(presence, news, &failure);
    if (st && st != ST_NO_MEMORY) {
        log_failure(presence, event.name, &failure);
        note_alone(presence, news);
        return;
    }
    if (!st)
        st = append(presence, news);
    if (st)
        presence_table_told(presence->table, news->who, false, clock_ms());
}

static void on_turn(uv_timer_t *timer)
{
    struct presence *presence = timer->data;
    struct engine *engine = presence->config.engine;
    struct engine_totals totals;
    struct presence_news news;
    int told = 0;

    engine->ops->totals(engine, &totals);
    presence_table_rebuild(presence->table, totals.is_rebuilding, clock_ms());
    while (told < MAX_PER_TURN &&
           presence_table_next(presence->table, clock_ms(), &news)) {
        tell(presence, &news);
        told++;
    }
    if (told == MAX_PER_TURN)
        uv_timer_start(timer, on_turn, 0, TICK_MS); /* others have their turn first */
    metrics_set(presence->config.metrics, METRIC_USERS_KNOWN,
                presence_table_count(presence->table));
    if (presence_table_here(presence->table) > 0 &&
        clock_ms() - presence->noted_ms >= TRUE_EVERY_MS)
        note_truth(presence);
}

/* --- watching --- */

static void on_user(void *ctx, struct slice nsp, struct slice user, bool is_here)
{
    struct presence *presence = ctx;

    presence_table_user(presence->table, nsp, user, is_here, clock_ms(), clock_wall_ms());
    /* In the next turn: a session that is put anew is gone for a moment. */
    if (uv_is_active((uv_handle_t *)&presence->timer))
        uv_timer_start(&presence->timer, on_turn, 0, TICK_MS);
}

static int64_t last_seen(void *ctx, struct slice nsp, struct slice user)
{
    const struct presence *presence = ctx;

    if (!presence_rules_keep_last_seen(presence->rules))
        return 0;
    return presence_table_last_seen(presence->table, nsp, user, clock_wall_ms());
}

static const struct engine_watcher watcher = {on_user, last_seen};

static struct presence_limits limits_of(const struct presence_rules *rules)
{
    return (struct presence_limits){
        .grace_ms = presence_rules_grace_ms(rules),
        .return_ms = PRESENCE_RETURN_MS,
        .max_away = presence_rules_keep_last_seen(rules) ? PRESENCE_MAX_AWAY : 0,
    };
}

static void take_rules(struct presence *presence, struct system *system)
{
    struct system *before = presence->system;

    presence->system = system ? system_share(system) : NULL;
    presence->rules = NULL;
    if (system && presence_rules_are_on(system->presence))
        presence->rules = system->presence;
    system_release(before);
}

/* A table for the rules; false: out of memory. */
static bool switch_on(struct presence *presence, bool is_start)
{
    struct engine *engine = presence->config.engine;
    const struct presence_limits limits = limits_of(presence->rules);
    struct hash_key key = random_hash_key();

    presence->table = presence_table_create(&limits, &key, on_forget, presence);
    if (!presence->table)
        return false;
    presence->noted_ms = clock_ms();
    if (is_start)
        restore_notes(presence);
    engine->ops->watch(engine, &watcher, presence);
    uv_timer_start(&presence->timer, on_turn, 0, TICK_MS);
    return true;
}

static void switch_off(struct presence *presence)
{
    struct engine *engine = presence->config.engine;

    engine->ops->watch(engine, NULL, NULL);
    uv_timer_stop(&presence->timer);
    presence_table_destroy(presence->table);
    presence->table = NULL;
    presence->generation++;
}

struct presence *presence_create(const struct presence_config *config,
                                 struct system *system)
{
    struct presence *presence = calloc(1, sizeof *presence);

    if (!presence)
        return NULL;
    presence->config = *config;
    presence->wire.max = LIMIT_ENVELOPE_BYTES;
    presence->open = 1;
    uv_timer_init(config->loop, &presence->timer);
    presence->timer.data = presence;
    take_rules(presence, system);
    if (!presence->rules || switch_on(presence, true))
        return presence;
    presence_destroy(presence);
    return NULL;
}

void presence_use(struct presence *presence, struct system *system)
{
    take_rules(presence, system);
    if (!presence->rules && presence->table)
        switch_off(presence);
    else if (presence->rules && !presence->table && !switch_on(presence, false))
        log_error(presence->config.log, "no memory for presence: it stays off");
    else if (presence->rules && presence->table) {
        const struct presence_limits limits = limits_of(presence->rules);
        presence_table_limit(presence->table, &limits, clock_ms());
    }
}

void presence_stop(struct presence *presence)
{
    if (!presence->table || !uv_is_active((uv_handle_t *)&presence->timer))
        return;
    uv_timer_stop(&presence->timer);
    note_truth(presence);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void presence_destroy(struct presence *presence)
{
    if (!presence)
        return;
    presence_stop(presence);
    if (presence->table)
        switch_off(presence);
    system_release(presence->system);
    uv_close((uv_handle_t *)&presence->timer, on_closed);
}

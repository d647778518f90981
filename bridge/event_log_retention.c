/*
 * How a durable log forgets. Rows beyond the ceilings stop being the log's at once, as
 * far as anybody reads it; they are deleted from the database seconds later, by the
 * thousand, when it has been noted what was removed of which room. A start that finds
 * rows which are not deleted yet has a log that remembers more. See event_log.h.
 */
#include "bridge/event_log_durable.h"

enum {
    TRIM_SLICE = 100,    /* rows that one call of durable_trim looks at … */
    DELETE_SLICE = 200,  /* … and deletes */
    TRIM_EVERY_MS = 500, /* while the log is less than an eighth beyond its ceilings */
    MARKS_EVERY_MS = 2000,
    MARKS_MAX_BYTES = 64 + 16 * ROOM_INDEX_MARKS,
};

/* --- what is too old --- */

struct trimming {
    struct durable_log *log;
    uint64_t now_ms;                 /* as the rows' */
    uint64_t events, bytes;          /* that are left */
    uint64_t removed, removed_bytes; /* events of this slice */
    uint64_t rows;
    uint64_t through; /* the last row of this slice; 0: none */
    uint64_t at_ms;   /* of that row */
    uint64_t floor;   /* the last event of it */
    bool has_more;
    bool is_damaged;
};

static bool is_beyond(const struct trimming *trimming, uint64_t at_ms)
{
    const struct event_log_limits *keep = &trimming->log->base.keep;

    return trimming->events > keep->events || trimming->bytes > keep->bytes ||
           (at_ms < trimming->now_ms && trimming->now_ms - at_ms > keep->age_ms);
}

/* All events of the row, or none: their seqs are given back by nobody. */
static bool count_events(struct trimming *trimming, const struct log_row *row)
{
    struct log_row_walk walk;
    enum status st;

    log_row_begin(&walk, row);
    while (!(st = log_row_next(&walk))) {
        trimming->floor = walk.seq;
        trimming->events--;
        trimming->bytes -= walk.bytes.len;
        trimming->removed++;
        trimming->removed_bytes += walk.bytes.len;
    }
    return st == ST_NOT_FOUND;
}

static bool trim_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct trimming *trimming = ctx;

    (void)sum;
    if (!is_beyond(trimming, row->at_ms)) {
        trimming->log->oldest_ms = row->at_ms;
        return false;
    }
    if (trimming->rows == TRIM_SLICE) {
        trimming->has_more = true;
        return false;
    }
    trimming->is_damaged = !count_events(trimming, row);
    if (trimming->is_damaged)
        return false;
    trimming->rows++;
    trimming->through = row->seq;
    trimming->at_ms = row->at_ms;
    return true;
}

void durable_remove(struct durable_log *log, uint64_t floor, uint64_t row)
{
    uv_mutex_lock(&log->base.lock);
    log->removed_row = row;
    if (floor > log->base.state.floor) {
        log->base.state.floor = floor;
        room_index_remove(log->base.rooms, floor);
    }
    uv_mutex_unlock(&log->base.lock);
}

static void count_removed(struct durable_log *log, const struct trimming *trimming)
{
    struct event_log_state *state = &log->base.state;

    uv_mutex_lock(&log->base.lock);
    state->events -= trimming->removed;
    state->bytes -= trimming->removed_bytes;
    state->evicted += trimming->removed;
    uv_mutex_unlock(&log->base.lock);
}

static bool is_trim_due(struct durable_log *log, uint64_t now_ms)
{
    const struct event_log_state *state = &log->base.state;
    const struct event_log_limits *keep = &log->base.keep;
    uint64_t at_ms = now_ms + log->anchor_ms;

    if (log->removed_row == log->end.row || log->base.is_lost)
        return false;
    if (state->events > keep->events + keep->events / 8 ||
        state->bytes > keep->bytes + keep->bytes / 8 || log->is_trimming)
        return true;
    if (now_ms - log->trimmed_ms < TRIM_EVERY_MS)
        return false;
    return state->events > keep->events || state->bytes > keep->bytes ||
           (at_ms > log->oldest_ms && at_ms - log->oldest_ms > keep->age_ms);
}

/* --- marks that are too old to matter --- */

static struct durable_age *age_at(struct durable_log *log, size_t i)
{
    return &log->ages[(log->first_age + i) % DURABLE_AGES];
}

static void remember_age(struct durable_log *log, uint64_t at_ms, uint64_t seq)
{
    uint64_t step_ms = log->config.mark_age_ms / (DURABLE_AGES - 1);

    if (log->age_count > 0 && at_ms < age_at(log, log->age_count - 1)->at_ms + step_ms)
        return;
    if (log->age_count == DURABLE_AGES)
        log->first_age = (log->first_age + 1) % DURABLE_AGES;
    else
        log->age_count++;
    *age_at(log, log->age_count - 1) = (struct durable_age){at_ms, seq};
}

/* Whoever has not come back since does not come back: one mark for all rooms will do. */
static void fold_marks(struct durable_log *log, uint64_t at_ms)
{
    uint64_t seq = 0;

    while (log->age_count > 0 &&
           at_ms > age_at(log, 0)->at_ms + log->config.mark_age_ms) {
        seq = age_at(log, 0)->seq;
        log->first_age = (log->first_age + 1) % DURABLE_AGES;
        log->age_count--;
    }
    if (seq == 0)
        return;
    uv_mutex_lock(&log->base.lock);
    room_index_fold(log->base.rooms, seq);
    uv_mutex_unlock(&log->base.lock);
}

/* --- deleting --- */

enum status durable_note_marks(struct durable_log *log, uint64_t epoch)
{
    const struct log_marks about = {.through = log->removed_row,
                                    .floor = log->base.state.floor};
    struct buf marks = {.max = MARKS_MAX_BYTES};

    room_index_save(log->base.rooms, &about, &marks); /* the writer's alone to change */
    enum status st = buf_status(&marks);
    if (!st)
        st = log_db_note(log->writer, LOG_DB_MARKS, SLICE("marks"), epoch,
                         buf_slice(&marks));
    buf_finish(&marks);
    return st;
}

/* True while there is more to be deleted now. */
static bool delete_rows(struct durable_log *log, uint64_t now_ms)
{
    uint64_t marked = log->marked_row;
    bool has_more = false;

    if (log->base.is_lost || log->base.state.is_down)
        return false;
    bool is_due = log->removed_row > marked && now_ms - log->marked_ms >= MARKS_EVERY_MS;
    if (!is_due && log->deleted_row >= marked)
        return false;
    enum status st = durable_begin(log);
    if (!st && is_due) {
        fold_marks(log, now_ms + log->anchor_ms);
        marked = log->removed_row;
        st = durable_note_marks(log, log->base.state.head.epoch);
    }
    if (!st)
        st = log_db_remove(log->writer, marked, DELETE_SLICE);
    has_more = log_db_changes(log->writer) >= DELETE_SLICE;
    if (is_due)
        log->marked_ms = now_ms;
    if (durable_settle(log, st))
        return false;
    log->marked_row = marked;
    if (!has_more)
        log->deleted_row = marked;
    return has_more;
}

/* --- */

/* False: nothing is left to do now. */
static bool trim_events(struct durable_log *log, uint64_t now_ms)
{
    struct trimming trimming = {
        .log = log,
        .now_ms = now_ms + log->anchor_ms,
        .events = log->base.state.events,
        .bytes = log->base.state.bytes,
    };

    if (!is_trim_due(log, now_ms))
        return false;
    log->trimmed_ms = now_ms;
    log->is_trimming = false;
    enum status st =
        log_db_read(log->writer, log->removed_row, UINT64_MAX, trim_row, &trimming);
    if (trimming.is_damaged || log_db_is_damaged(log->writer))
        durable_condemn(&log->base);
    if (st || trimming.is_damaged || trimming.rows == 0)
        return false;
    durable_remove(log, trimming.floor, trimming.through);
    count_removed(log, &trimming);
    remember_age(log, trimming.at_ms, trimming.floor);
    log->is_trimming = trimming.has_more;
    return trimming.has_more;
}

bool durable_trim(struct event_log *base, uint64_t now_ms)
{
    struct durable_log *log = (struct durable_log *)base;

    durable_free_spent(log);
    durable_tidy(log, now_ms);
    bool is_trimming = trim_events(log, now_ms);
    return delete_rows(log, now_ms) || is_trimming;
}

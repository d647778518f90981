/*
 * The durable log: rows of a database, a witness, and a thread that moves the
 * write-ahead log into the file. See event_log.h. Opening: event_log_opening.c.
 *
 * Rows are a chain: each has the seq of the one before it, so that a row that is missing
 * is noticed. Volatile events have no row, but the last one of a batch: an empty row
 * keeps the head, which therefore is always the last row's seq.
 */
#include "bridge/event_log_durable.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    TRIM_SLICE = 500,
    TRIM_EVERY_MS = 500,   /* while the log is less than an eighth beyond its ceilings */
    WAL_PAGES = 1000,      /* 4 MB: the tidier is woken */
    WAL_MAX_PAGES = 32768, /* 128 MB: the writer waits until it is empty */
};

static struct durable_log *self_of(struct event_log *log)
{
    return (struct durable_log *)log;
}

/* --- state --- */

static void set_down(struct durable_log *log, bool is_down)
{
    bool is_lost = log_db_is_damaged(log->writer);

    uv_mutex_lock(&log->base.lock);
    bool was_down = log->base.state.is_down;
    log->base.state.is_down = is_down;
    uv_mutex_unlock(&log->base.lock);
    if (is_lost)
        durable_condemn(&log->base);
    if (is_down && !was_down)
        log_error(log->config.log, "the log cannot be written: publishes are refused",
                  LOG_TEXT("data_dir", log->folder));
    else if (was_down && !is_down)
        log_info(log->config.log, "the log can be written again",
                 LOG_TEXT("data_dir", log->folder));
}

/* Ends the transaction, one way or the other. */
enum status durable_settle(struct durable_log *log, enum status st)
{
    if (!st)
        st = log_db_commit(log->writer);
    if (st)
        log_db_rollback(log->writer);
    set_down(log, st != ST_OK);
    return st;
}

static void free_spent(struct durable_log *log)
{
    for (size_t i = 0; i < log->spent_count; i++)
        free(log->spent[i]);
    log->spent_count = 0;
}

/* --- append --- */

static enum status add_key(struct durable_log *log, const struct log_key *key,
                           const struct position *position, uint64_t at_ms)
{
    char bytes[64];
    struct buf encoded = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    log_key_encode(key, position, &encoded);
    return log_db_note(log->writer, LOG_DB_KEYS,
                       (struct slice){(const char *)key->id, sizeof key->id}, at_ms,
                       buf_slice(&encoded));
}

static enum status add_rows(struct durable_log *log,
                            const struct event_log_entry *entries, size_t count,
                            uint64_t at_ms, uint64_t *last_row)
{
    struct position position = log->base.state.head; /* the writer's alone to change */
    enum status st = ST_OK;

    for (size_t i = 0; i < count && !st; i++) {
        const struct event_log_entry *entry = &entries[i];
        bool is_last = i + 1 == count;
        struct log_row row = {position.epoch, ++position.seq, *last_row, at_ms, {0}};
        if (!entry->is_volatile)
            row.bytes = (struct slice){entry->bytes, entry->len};
        if (!entry->is_volatile || is_last) {
            st = log_db_add(log->writer, &row);
            *last_row = row.seq;
        }
        if (!st && entry->key) {
            log->has_keys = true;
            st = add_key(log, entry->key, &position, at_ms);
        }
        if (!st && entry->record)
            st = durable_record(log, entry->record, at_ms);
    }
    return st;
}

/* What was committed, as readers know it. */
static void admit(struct durable_log *log, const struct event_log_entry *entries,
                  size_t count, uint64_t at_ms)
{
    struct event_log_state *state = &log->base.state;

    uv_mutex_lock(&log->base.lock);
    for (size_t i = 0; i < count; i++) {
        const struct event_log_entry *entry = &entries[i];
        struct slice bytes = {entry->bytes, entry->len};
        state->head.seq++;
        if (entry->is_volatile)
            continue;
        if (state->events++ == 0)
            log->oldest_ms = at_ms;
        state->bytes += entry->len;
        room_index_add(log->base.rooms, state->head.seq, bytes);
    }
    uv_mutex_unlock(&log->base.lock);
}

static void wake_tidier(struct durable_log *log)
{
    int pages = log_db_wal_pages(log->writer);

    if (pages >= WAL_MAX_PAGES)
        log_db_checkpoint(log->writer);
    else if (pages >= WAL_PAGES)
        uv_sem_post(&log->wake_tidier);
}

enum status durable_append(struct event_log *base, const struct event_log_entry *entries,
                           size_t count, uint64_t now_ms, uint64_t *first)
{
    struct durable_log *log = self_of(base);
    uint64_t at_ms = now_ms + log->anchor_ms;
    uint64_t last_row = log->last_row;

    free_spent(log);
    if (base->is_lost || count > DURABLE_MAX_BATCH)
        return ST_LOG_DOWN;
    enum status st = log_db_begin(log->writer);
    if (!st)
        st = add_rows(log, entries, count, at_ms, &last_row);
    if (!st)
        test_hook_crash_at("commit");
    st = durable_settle(log, st);
    if (st)
        return ST_LOG_DOWN;
    test_hook_crash_at("committed");
    *first = base->state.head.seq + 1;
    log->last_row = last_row;
    admit(log, entries, count, at_ms);
    log_witness_see(log->witness, base->state.head.seq);
    test_hook_crash_at("witnessed");
    for (size_t i = 0; i < count; i++)
        if (!entries[i].is_volatile)
            log->spent[log->spent_count++] = entries[i].bytes;
    wake_tidier(log);
    return ST_OK;
}

/* --- retention --- */

struct trimming {
    struct durable_log *log;
    uint64_t now_ms;                 /* as the rows' */
    uint64_t events, bytes;          /* that are left */
    uint64_t removed, removed_bytes; /* events of this slice */
    uint64_t rows;
    uint64_t through;    /* the last row of this slice; 0: none */
    uint64_t floor;      /* the last event of it */
    struct log_row head; /* the last row of all was one of them */
    bool has_more;
};

static bool is_beyond(const struct trimming *trimming, uint64_t at_ms)
{
    const struct event_log_limits *keep = &trimming->log->base.keep;

    return trimming->events > keep->events || trimming->bytes > keep->bytes ||
           (at_ms < trimming->now_ms && trimming->now_ms - at_ms > keep->age_ms);
}

static bool trim_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct trimming *trimming = ctx;
    bool is_blank = row->bytes.len == 0;
    bool is_head = row->seq == trimming->log->last_row;

    (void)sum;
    if (!is_beyond(trimming, row->at_ms) || (is_blank && is_head)) {
        trimming->log->oldest_ms = row->at_ms;
        return false;
    }
    if (trimming->rows == TRIM_SLICE) {
        trimming->has_more = true;
        return false;
    }
    trimming->rows++;
    trimming->through = row->seq;
    if (is_head)
        trimming->head = *row;
    if (is_blank)
        return true;
    trimming->floor = row->seq;
    trimming->events--;
    trimming->bytes -= row->bytes.len;
    trimming->removed++;
    trimming->removed_bytes += row->bytes.len;
    return true;
}

/* Readers know it first: whoever finds a row missing is told why. */
static void raise_floor(struct durable_log *log, uint64_t floor, uint64_t row)
{
    uv_mutex_lock(&log->base.lock);
    log->removed_row = row;
    if (floor > log->base.state.floor) {
        log->base.state.floor = floor;
        room_index_remove(log->base.rooms, floor);
    }
    uv_mutex_unlock(&log->base.lock);
}

static enum status remove_rows(struct durable_log *log, const struct trimming *trimming)
{
    enum status st = log_db_remove(log->writer, trimming->through);

    if (!st && trimming->head.seq != 0) {
        struct log_row blank = trimming->head;
        blank.epoch = log->base.state.head.epoch;
        blank.bytes = (struct slice){0};
        st = log_db_add(log->writer, &blank);
    }
    return st;
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

    if (state->events == 0 || log->base.is_lost)
        return false;
    if (state->events > keep->events + keep->events / 8 ||
        state->bytes > keep->bytes + keep->bytes / 8 || log->is_trimming)
        return true;
    if (now_ms - log->trimmed_ms < TRIM_EVERY_MS)
        return false;
    return state->events > keep->events || state->bytes > keep->bytes ||
           (at_ms > log->oldest_ms && at_ms - log->oldest_ms > keep->age_ms);
}

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
    enum status st = log_db_begin(log->writer);
    if (!st)
        st = log_db_read(log->writer, 0, UINT64_MAX, trim_row, &trimming);
    if (!st && trimming.through > 0) {
        raise_floor(log, trimming.floor, trimming.through);
        st = remove_rows(log, &trimming);
    }
    if (durable_settle(log, st))
        return false;
    count_removed(log, &trimming);
    log->is_trimming = trimming.has_more;
    return trimming.has_more;
}

bool durable_trim(struct event_log *base, uint64_t now_ms)
{
    struct durable_log *log = self_of(base);

    free_spent(log);
    if (atomic_exchange(&base->is_overtaken, false))
        durable_begin_epoch(log, "a gateway has seen more than the log has");
    durable_tidy(log, now_ms);
    return trim_events(log, now_ms);
}

/* --- reading --- */

struct row_reading {
    struct durable_log *log;
    struct event_log_reading *reading;
    uint64_t before;  /* the first row's predecessor */
    uint64_t prev;    /* 0: the first row comes next */
    uint64_t damaged; /* the seq of a row that cannot be believed */
};

/* Everything between two rows of the chain was volatile. */
static bool read_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct row_reading *rows = ctx;
    struct log_row placed = *row;

    placed.epoch = rows->log->read_epoch;
    bool is_linked = rows->prev == 0 || row->prev == rows->prev;
    if (!is_linked || (sum != log_row_checksum(&placed) && !test_hook_no_checksum())) {
        rows->damaged = row->seq;
        return false;
    }
    if (rows->prev == 0)
        rows->before = row->prev;
    rows->prev = row->seq;
    return row->bytes.len == 0 ||
           event_log_reading_visit(rows->reading, row->seq, row->bytes);
}

bool durable_begin_read(struct event_log *base, uint64_t epoch)
{
    struct durable_log *log = self_of(base);
    uint64_t found = 0;

    log->read_epoch = epoch;
    if (log_db_begin(log->reader) || log_db_get(log->reader, LOG_DB_EPOCH, &found))
        return false;
    return found == epoch;
}

void durable_condemn(struct event_log *base)
{
    atomic_store(&base->is_lost, true);
    log_witness_deny(self_of(base)->witness);
}

/* Whether rows between `after` and the first one have vanished. */
static bool has_hole(struct durable_log *log, uint64_t after, uint64_t before)
{
    uv_mutex_lock(&log->base.lock);
    uint64_t removed = log->removed_row;
    uv_mutex_unlock(&log->base.lock);
    return before > after && before > removed;
}

void durable_read(struct event_log *base, uint64_t after, uint64_t through,
                  struct event_log_reading *reading)
{
    struct durable_log *log = self_of(base);
    struct row_reading rows = {.log = log, .reading = reading};

    enum status st = log_db_read(log->reader, after, through, read_row, &rows);
    bool is_damaged = rows.damaged != 0 || log_db_is_damaged(log->reader) ||
                      has_hole(log, after, rows.before);
    if (!is_damaged && !st)
        return;
    /* What cannot be read is not told to be nothing: the page ends before it. */
    reading->has_stopped = true;
    reading->read_through = rows.prev ? rows.prev : after;
    if (is_damaged)
        durable_condemn(base);
}

void durable_end_read(struct event_log *base)
{
    log_db_rollback(self_of(base)->reader);
}

/* --- beside it --- */

/* Moves the write-ahead log into the file while the writer goes on. */
void durable_run_tidier(void *arg)
{
    struct durable_log *log = arg;

    while (true) {
        uv_sem_wait(&log->wake_tidier);
        while (uv_sem_trywait(&log->wake_tidier) == 0)
            ;
        if (atomic_load(&log->is_stopping))
            return;
        log_db_checkpoint(log->tidier);
    }
}

static void stop_tidier(struct durable_log *log)
{
    if (!log->has_tidier)
        return;
    log->has_tidier = false;
    atomic_store(&log->is_stopping, true);
    uv_sem_post(&log->wake_tidier);
    uv_thread_join(&log->tidier_thread);
    uv_sem_destroy(&log->wake_tidier);
}

/* The reader's thread lives as long as the process: its connection stays open. */
void durable_close(struct event_log *base)
{
    struct durable_log *log = self_of(base);

    free_spent(log);
    stop_tidier(log);
    if (base->is_lost || base->state.is_down)
        return;
    enum status st = log_db_set(log->writer, LOG_DB_ANCHOR, log->anchor_ms);
    if (!st)
        st = log_db_checkpoint(log->writer);
    if (!st && log_folder_sync(log->folder))
        log_witness_end(log->witness);
}

void durable_destroy(struct event_log *base)
{
    struct durable_log *log = self_of(base);

    stop_tidier(log);
    free_spent(log);
    log_db_close(log->reader);
    log_db_close(log->tidier);
    log_db_close(log->writer);
    log_witness_close(log->witness);
    durable_release(log);
}

/*
 * The durable log: rows of a database, and a witness. See event_log.h. Opening:
 * event_log_opening.c; the write-ahead log: event_log_tidier.c.
 *
 * Rows are a chain: each has the last seq of the one before it, so that a row that is
 * missing is noticed. A commit is one row as long as it is small, since what SQLite does
 * for a row costs more than the event. Volatile events are in no row: those that come
 * before an event are covered by its row, and for those that come last the head is a
 * number, beside the one of the last row, which would be missed without it.
 */
#include "bridge/event_log_durable.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    WAL_FULL_PAGES = 4000, /* 16 MB: it cannot be moved; no more is written, since a disk
                              that is full of what waits to be moved could not heal */
    WAIT_STEPS = 10,       /* until whoever keeps it from being moved … */
    WAIT_STEP_MS = 5,      /* … has ended */
    FAR_SEQS = 1 << 30, /* so many volatile ones take a row: in one, seqs have 32 bits */
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

static bool is_wal_full(const struct durable_log *log)
{
    return log_db_wal_pages(log->writer) >= WAL_FULL_PAGES;
}

/* Reads are short, and one of them may be all that is in the way. */
static void wait_for_readers(struct durable_log *log)
{
    for (int i = 0; i < WAIT_STEPS && is_wal_full(log) && !durable_move(log); i++)
        if (is_wal_full(log))
            uv_sleep(WAIT_STEP_MS);
}

enum status durable_begin(struct durable_log *log)
{
    if (is_wal_full(log) && !log->base.state.is_down)
        wait_for_readers(log);
    return is_wal_full(log) ? ST_LOG_DOWN : log_db_begin(log->writer);
}

enum status durable_settle(struct durable_log *log, enum status st)
{
    if (!st)
        st = log_db_commit(log->writer);
    if (st)
        log_db_rollback(log->writer);
    set_down(log, st != ST_OK);
    if (!st)
        durable_committed(log);
    return st;
}

void durable_leave_epoch(struct durable_log *log, const char *why)
{
    set_down(log, durable_begin_epoch(log, why) != ST_OK);
}

bool durable_is_overtaken(const struct durable_log *log)
{
    return atomic_load(&log->base.overtaken_epoch) == log->base.state.head.epoch;
}

void durable_free_spent(struct durable_log *log)
{
    for (size_t i = 0; i < log->spent_count; i++)
        free(log->spent[i]);
    log->spent_count = 0;
}

/* --- append --- */

static enum status add_row(struct durable_log *log, uint64_t seq, uint64_t at_ms,
                           struct durable_end *end)
{
    const struct log_row row = {
        .epoch = log->base.state.head.epoch,
        .prev = end->row,
        .seq = seq,
        .at_ms = at_ms,
        .body = buf_slice(&log->row),
    };
    enum status st = log_db_add(log->writer, &row);

    buf_clear(&log->row);
    end->row = seq;
    return st;
}

static enum status note_head(struct durable_log *log, uint64_t seq,
                             struct durable_end *end)
{
    enum status st = log_db_set(log->writer, LOG_DB_HEAD, seq);

    if (!st && end->noted != end->row)
        st = log_db_set(log->writer, LOG_DB_HEAD_ROW, end->row);
    end->noted = end->row;
    return st;
}

/* What was gathered, up to this seq. */
static enum status add_gathered(struct durable_log *log, uint64_t seq, uint64_t at_ms,
                                struct durable_end *end)
{
    enum status st = buf_status(&log->row);

    if (st)
        return st;
    if (log->row.len == 0 && seq - end->row < FAR_SEQS)
        return note_head(log, seq, end);
    return add_row(log, seq, at_ms, end);
}

static enum status add_keys(struct durable_log *log, uint64_t at_ms)
{
    if (log->keys.len == 0)
        return buf_status(&log->keys);
    log->has_notes = true;
    return log_db_note(log->writer, LOG_DB_KEYS, (struct slice){0}, at_ms,
                       buf_slice(&log->keys));
}

static enum status add_rows(struct durable_log *log,
                            const struct event_log_entry *entries, size_t count,
                            uint64_t at_ms, struct durable_end *end)
{
    struct position position = log->base.state.head; /* the writer's alone to change */
    enum status st = ST_OK;

    buf_clear(&log->row);
    buf_clear(&log->keys);
    for (size_t i = 0; i < count && !st; i++) {
        const struct event_log_entry *entry = &entries[i];
        position.seq++;
        if (!entry->is_volatile)
            log_row_add(&log->row, position.epoch, end->row, position.seq,
                        (struct slice){entry->bytes, entry->len});
        if (entry->key)
            log_key_encode(entry->key, &position, &log->keys);
        if (i + 1 == count || log->row.len >= LOG_ROW_BYTES)
            st = add_gathered(log, position.seq, at_ms, end);
        if (!st && entry->record)
            st = durable_record(log, entry->record, at_ms);
    }
    return st ? st : add_keys(log, at_ms);
}

/* What was committed, as readers know it. */
static void admit(struct durable_log *log, const struct event_log_entry *entries,
                  size_t count)
{
    struct event_log_state *state = &log->base.state;

    uv_mutex_lock(&log->base.lock);
    for (size_t i = 0; i < count; i++) {
        const struct event_log_entry *entry = &entries[i];
        struct slice bytes = {entry->bytes, entry->len};
        state->head.seq++;
        if (entry->is_volatile)
            continue;
        state->events++;
        state->bytes += entry->len;
        room_index_add(log->base.rooms, state->head.seq, bytes);
    }
    uv_mutex_unlock(&log->base.lock);
}

enum status durable_append(struct event_log *base, const struct event_log_entry *entries,
                           size_t count, uint64_t now_ms, uint64_t *first)
{
    struct durable_log *log = self_of(base);
    uint64_t at_ms = now_ms + log->anchor_ms;
    struct durable_end end = log->end;

    durable_free_spent(log);
    if (base->is_lost || durable_is_overtaken(log) || count > DURABLE_MAX_BATCH)
        return ST_LOG_DOWN;
    enum status st = durable_begin(log);
    if (!st)
        st = add_rows(log, entries, count, at_ms, &end);
    test_hook_hold_commit();
    if (!st)
        test_hook_crash_at("commit");
    st = durable_settle(log, st);
    if (st)
        return ST_LOG_DOWN;
    test_hook_crash_at("committed");
    *first = base->state.head.seq + 1;
    if (log->removed_row == log->end.row)
        log->oldest_ms = at_ms;
    log->end = end;
    admit(log, entries, count);
    log_witness_see(log->witness, base->state.head.seq);
    test_hook_crash_at("witnessed");
    for (size_t i = 0; i < count; i++)
        if (!entries[i].is_volatile)
            log->spent[log->spent_count++] = entries[i].bytes;
    return ST_OK;
}

/* --- reading --- */

struct row_reading {
    struct durable_log *log;
    struct event_log_reading *reading;
    const uint64_t *seqs; /* that are wished; NULL: all after `after` */
    size_t count;         /* of them that are left */
    uint64_t after, through;
    uint64_t prev;   /* 0: the first row comes next */
    bool is_damaged; /* there is a row that cannot be believed */
};

/* Of an epoch that is over, everything is. */
static bool is_removed(struct durable_log *log, uint64_t seq)
{
    uv_mutex_lock(&log->base.lock);
    bool is_gone =
        seq <= log->removed_row || log->base.state.head.epoch != log->read_epoch;
    uv_mutex_unlock(&log->base.lock);
    return is_gone;
}

/* Whether rows between `after` and the first one, which follows `before`, have vanished.
 */
static bool has_hole(struct durable_log *log, uint64_t after, uint64_t before)
{
    return before > after && !is_removed(log, before);
}

static bool is_row_sound(struct durable_log *log, struct log_row *row, uint64_t sum)
{
    row->epoch = log->read_epoch;
    return row->seq > row->prev &&
           (sum == log_row_checksum(row) || test_hook_no_checksum());
}

static bool is_event_sound(const struct log_row_walk *walk)
{
    return log_row_is_sound(walk) || test_hook_no_checksum();
}

/* The next event of the row that is wished. */
static enum status next_event(struct row_reading *rows, struct log_row_walk *walk)
{
    uint64_t first = rows->seqs ? rows->seqs[0] : rows->after + 1;
    enum status st = log_row_next(walk);

    while (!st && walk->seq < first)
        st = log_row_next(walk);
    return !st && !is_event_sound(walk) ? ST_BAD_PACKET : st;
}

/* Everything between two events of a row was volatile. */
static bool read_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct row_reading *rows = ctx;
    struct log_row placed = *row;
    struct log_row_walk walk;
    enum status st;

    bool is_linked = rows->prev ? row->prev == rows->prev
                                : !has_hole(rows->log, rows->after, row->prev);
    rows->is_damaged = !is_linked || !is_row_sound(rows->log, &placed, sum);
    if (rows->is_damaged)
        return false;
    log_row_begin(&walk, &placed);
    while (!(st = next_event(rows, &walk)) && walk.seq <= rows->through)
        if (!event_log_reading_visit(rows->reading, walk.seq, walk.bytes))
            return false;
    rows->is_damaged = st == ST_BAD_PACKET;
    if (!rows->is_damaged)
        rows->prev = row->seq;
    return !rows->is_damaged;
}

/* Visits those of the row that are wished, which all must be there. */
static bool pick_from_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct row_reading *rows = ctx;
    struct log_row placed = *row;
    struct log_row_walk walk;

    rows->is_damaged = !is_row_sound(rows->log, &placed, sum);
    log_row_begin(&walk, &placed);
    while (!rows->is_damaged && rows->count > 0 && rows->seqs[0] <= row->seq) {
        if (next_event(rows, &walk) || walk.seq != rows->seqs[0]) {
            rows->is_damaged = true;
        } else if (!event_log_reading_visit(rows->reading, walk.seq, walk.bytes)) {
            return false;
        } else {
            rows->seqs++;
            rows->count--;
        }
    }
    return false;
}

/* What is there no page has, as long as this lasts. */
static void set_unreadable(struct durable_log *log, bool is_unreadable)
{
    if (is_unreadable && !log->is_unreadable)
        log_error(log->config.log, "the log cannot be read",
                  LOG_TEXT("data_dir", log->folder));
    log->is_unreadable = is_unreadable;
}

bool durable_begin_read(struct event_log *base, uint64_t epoch)
{
    struct durable_log *log = self_of(base);
    uint64_t found = 0;

    log->read_epoch = epoch;
    enum status st = log_db_begin(log->reader);
    if (!st)
        st = log_db_get(log->reader, LOG_DB_EPOCH, &found);
    if (st)
        set_unreadable(log, true);
    if (log_db_is_damaged(log->reader) || (!st && found == 0))
        durable_condemn(base);
    return !st && found == epoch;
}

void durable_condemn(struct event_log *base)
{
    atomic_store(&base->is_lost, true);
    log_witness_deny(self_of(base)->witness);
}

/* What cannot be read is not told to be nothing: the page ends before it. */
static void stop_reading(struct row_reading *rows, uint64_t read_through)
{
    rows->reading->has_stopped = true;
    rows->reading->read_through = read_through;
    set_unreadable(rows->log, true);
    if (rows->is_damaged || log_db_is_damaged(rows->log->reader))
        durable_condemn(&rows->log->base);
}

void durable_read(struct event_log *base, uint64_t after, uint64_t through,
                  struct event_log_reading *reading)
{
    struct durable_log *log = self_of(base);
    struct row_reading rows = {
        .log = log, .reading = reading, .after = after, .through = through};

    enum status st = log_db_read(log->reader, after, through, read_row, &rows);
    if (st || rows.is_damaged)
        stop_reading(&rows, reading->last > after ? reading->last : after);
    else
        set_unreadable(log, false);
}

void durable_pick(struct event_log *base, const uint64_t *seqs, size_t count,
                  struct event_log_reading *reading)
{
    struct durable_log *log = self_of(base);
    struct row_reading rows = {.log = log,
                               .reading = reading,
                               .seqs = seqs,
                               .count = count,
                               .through = UINT64_MAX};

    while (rows.count > 0 && !reading->has_stopped) {
        const uint64_t *at = rows.seqs;
        enum status st = log_db_read(log->reader, *at - 1, *at, pick_from_row, &rows);
        bool is_absent = !st && !rows.is_damaged && rows.seqs == at;
        if (is_absent && !reading->has_stopped && is_removed(log, *at)) {
            rows.seqs++;
            rows.count--;
            continue;
        }
        rows.is_damaged |= is_absent && !reading->has_stopped;
        if (st || rows.is_damaged)
            stop_reading(&rows, *rows.seqs - 1);
    }
}

void durable_end_read(struct event_log *base)
{
    log_db_rollback(self_of(base)->reader);
}

/* --- beside it --- */

/* The reader's thread lives as long as the process: its connection stays open. */
void durable_close(struct event_log *base)
{
    struct durable_log *log = self_of(base);

    durable_free_spent(log);
    durable_stop_tidier(log);
    if (base->is_lost || base->state.is_down)
        return;
    enum status st = log_db_set(log->writer, LOG_DB_ANCHOR, log->anchor_ms);
    if (!st)
        st = durable_note_marks(log, base->state.head.epoch);
    if (!st)
        st = durable_move(log);
    if (!st && log_folder_sync(log->folder))
        log_witness_end(log->witness);
    if (log_db_is_damaged(log->writer))
        durable_condemn(base);
}

void durable_destroy(struct event_log *base)
{
    struct durable_log *log = self_of(base);

    durable_stop_tidier(log);
    durable_free_spent(log);
    log_db_close(log->reader);
    log_db_close(log->tidier);
    log_db_close(log->writer);
    log_witness_close(log->witness);
    buf_finish(&log->row);
    buf_finish(&log->keys);
    durable_release(log);
}

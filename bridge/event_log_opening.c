/*
 * How a durable log begins: what lies in the folder is read whole, every row of it is
 * checked, and the witness decides whether its epoch goes on. See event_log.h.
 */
#include "bridge/event_log_durable.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct event_log_ops durable_ops = {
    .append = durable_append,
    .trim = durable_trim,
    .begin_read = durable_begin_read,
    .read = durable_read,
    .pick = durable_pick,
    .end_read = durable_end_read,
    .keys = durable_keys,
    .records = durable_records,
    .doubt_sessions = durable_doubt_sessions,
    .sessions = durable_sessions,
    .notes = durable_notes,
    .close = durable_close,
    .destroy = durable_destroy,
};

static void forget_events(struct durable_log *log, uint64_t epoch)
{
    log->base.state.head = (struct position){epoch, 0};
    log->base.state.floor = 0;
    log->base.state.events = log->base.state.bytes = 0;
    log->end = (struct durable_end){0};
    log->removed_row = log->marked_row = log->deleted_row = 0;
    log->age_count = 0;
    room_index_clear(log->base.rooms, 0);
}

static enum status note_no_marks(struct durable_log *log, uint64_t epoch)
{
    const struct log_marks none = {.key = room_index_key(log->base.rooms)};
    struct buf marks = {.max = 64};

    log_marks_encode(&none, &marks);
    enum status st = buf_status(&marks);
    if (!st)
        st = log_db_note(log->writer, LOG_DB_MARKS, SLICE("marks"), epoch,
                         buf_slice(&marks));
    buf_finish(&marks);
    return st;
}

/* Names that an earlier process left are on the disk before it is said that all is. */
static enum status testify(struct durable_log *log, uint64_t epoch, uint64_t head)
{
    struct log_testimony opening = {
        .epoch = epoch,
        .head = head,
        .is_synced = log->config.syncs,
    };

    if (log->config.syncs && !log_folder_sync(log->folder))
        return ST_LOG_DOWN;
    memcpy(opening.boot_id, log->boot_id, LOG_BOOT_ID_BYTES);
    return log_witness_begin(log->witness, &opening);
}

enum status durable_begin_epoch(struct durable_log *log, const char *why)
{
    uint64_t epoch = event_log_random_epoch();
    uint64_t old_epoch = log->base.state.head.epoch;

    enum status st = log_db_begin(log->writer);
    if (!st)
        st = log_db_clear(log->writer);
    if (!st)
        st = log_db_set(log->writer, LOG_DB_EPOCH, epoch);
    if (!st)
        st = log_db_set(log->writer, LOG_DB_HEAD, 0);
    if (!st)
        st = log_db_set(log->writer, LOG_DB_HEAD_ROW, 0);
    if (!st)
        st = note_no_marks(log, epoch);
    if (!st) /* they say which events are there */
        st = log_db_forget(log->writer, LOG_DB_GATEWAYS, INT64_MAX, INT_MAX);
    if (!st)
        st = log_db_commit(log->writer);
    if (st) {
        log_db_rollback(log->writer);
        return st;
    }
    /* A log's first epoch is no news to anybody. */
    if (old_epoch != 0)
        log_warn(log->config.log, "the log begins a new epoch", LOG_TEXT("reason", why));
    uv_mutex_lock(&log->base.lock);
    forget_events(log, epoch);
    uv_mutex_unlock(&log->base.lock);
    return testify(log, epoch, 0);
}

/* --- what is there --- */

struct survey {
    struct durable_log *log;
    bool is_damaged;
    bool has_begun;
};

/* Where the log begins, and what its rooms had before that. */
static bool survey_marks(void *ctx, struct slice name, uint64_t epoch, struct slice bytes)
{
    struct survey *survey = ctx;
    struct durable_log *log = survey->log;
    struct event_log_state *state = &log->base.state;
    struct log_marks marks;

    (void)name;
    if (epoch != state->head.epoch || log_marks_decode(bytes, &marks) ||
        !room_index_load(log->base.rooms, &marks))
        return false;
    state->floor = marks.floor;
    state->head.seq = marks.through;
    log->end.row = log->removed_row = log->marked_row = marks.through;
    survey->is_damaged = false;
    return false;
}

static void see_time(struct durable_log *log, uint64_t at_ms)
{
    if (at_ms > log->newest_ms)
        log->newest_ms = at_ms;
}

static bool survey_events(struct durable_log *log, const struct log_row *row)
{
    struct event_log_state *state = &log->base.state;
    struct log_row_walk walk;
    enum status st;

    log_row_begin(&walk, row);
    while (!(st = log_row_next(&walk))) {
        if (!log_row_is_sound(&walk) && !test_hook_no_checksum())
            return false;
        state->events++;
        state->bytes += walk.bytes.len;
        room_index_add(log->base.rooms, walk.seq, walk.bytes);
    }
    return st == ST_NOT_FOUND;
}

/* The rows that are the log's follow each other without a gap, from where it begins. */
static bool survey_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct survey *survey = ctx;
    struct durable_log *log = survey->log;
    struct log_row placed = *row;

    placed.epoch = log->base.state.head.epoch;
    bool is_linked = row->seq > row->prev && row->prev == log->end.row;
    bool is_sound = sum == log_row_checksum(&placed) || test_hook_no_checksum();
    survey->is_damaged = !is_linked || !is_sound || !survey_events(log, &placed);
    if (survey->is_damaged)
        return false;
    if (!survey->has_begun)
        log->oldest_ms = row->at_ms;
    survey->has_begun = true;
    see_time(log, row->at_ms);
    log->end.row = log->base.state.head.seq = row->seq;
    return true;
}

/* Volatile events came after the last row, which is there, if this is of now. */
static enum status survey_head(struct survey *survey)
{
    struct durable_log *log = survey->log;
    struct position *head = &log->base.state.head;
    uint64_t noted = 0;

    enum status st = log_db_get(log->writer, LOG_DB_HEAD, &noted);
    if (!st)
        st = log_db_get(log->writer, LOG_DB_HEAD_ROW, &log->end.noted);
    if (noted > head->seq)
        head->seq = noted;
    survey->is_damaged = log->end.noted > log->end.row;
    return st;
}

static bool survey_note(void *ctx, struct slice name, uint64_t at_ms, struct slice bytes)
{
    struct durable_log *log = ctx;

    (void)name;
    (void)bytes;
    log->has_notes = true;
    see_time(log, at_ms);
    return true;
}

/* Reads all there is; `findings` says what it is worth. */
static enum status look(struct durable_log *log, struct log_findings *findings)
{
    struct survey survey = {.log = log, .is_damaged = true};
    uint64_t epoch = 0;

    enum status st = log_db_get(log->writer, LOG_DB_EPOCH, &epoch);
    if (!st)
        st = log_db_get(log->writer, LOG_DB_ANCHOR, &log->anchor_ms);
    log->base.state.head.epoch = epoch;
    if (!st && epoch != 0)
        st = log_db_notes(log->writer, LOG_DB_MARKS, survey_marks, &survey);
    if (!st && !survey.is_damaged)
        st = log_db_read(log->writer, log->end.row, UINT64_MAX, survey_row, &survey);
    if (!st && !survey.is_damaged)
        st = survey_head(&survey);
    if (!st)
        st = log_db_notes(log->writer, LOG_DB_KEYS, survey_note, log);
    if (!st)
        st = log_db_notes(log->writer, LOG_DB_SESSIONS, survey_note, log);
    if (!st)
        st = log_db_notes(log->writer, LOG_DB_USERS, survey_note, log);
    if (!st)
        st = log_db_notes(log->writer, LOG_DB_GATEWAYS, survey_note, log);
    findings->epoch = epoch;
    findings->head = log->base.state.head.seq;
    findings->is_damaged =
        (epoch != 0 && survey.is_damaged) || log_db_is_damaged(log->writer);
    return findings->is_damaged ? ST_OK : st;
}

static enum status open_writer(struct durable_log *log, struct log_findings *findings)
{
    char path[LOG_PATH_BYTES];
    enum log_db_mode mode = log->config.syncs ? LOG_DB_WRITES_SYNC : LOG_DB_WRITES;

    *findings = (struct log_findings){0};
    log_folder_path(log->folder, "log.db", path);
    enum status st = log_db_open(path, mode, &log->writer, &findings->is_damaged);
    if (st)
        return findings->is_damaged ? ST_OK : st;
    return look(log, findings);
}

static enum status start_anew(struct durable_log *log, const char *why)
{
    struct log_findings findings;

    log_db_close(log->writer);
    log->writer = NULL;
    size_t moved = log_folder_set_aside(log->folder);
    log_error(log->config.log, "the log was set aside as log.db.damaged",
              LOG_TEXT("reason", why), LOG_TEXT("data_dir", log->folder),
              LOG_NUM("files", moved));
    forget_events(log, 0);
    log->has_notes = false;
    log->newest_ms = 0;
    enum status st = open_writer(log, &findings);
    return !st && findings.is_damaged ? ST_LOG_DOWN : st;
}

/* The clock of rows goes on with the machine's, does not follow a step of it while this
 * boot lasts, and never runs back: what lay in its future would not be forgotten. */
static void set_anchor(struct durable_log *log, const struct log_testimony *testimony)
{
    bool is_same_boot = memcmp(testimony->boot_id, log->boot_id, LOG_BOOT_ID_BYTES) == 0;

    if (log->anchor_ms == 0 || !is_same_boot) {
        uint64_t wall_ms = (uint64_t)clock_wall_ms();
        uint64_t next_ms = log->newest_ms + 1;
        log->anchor_ms = (wall_ms > next_ms ? wall_ms : next_ms) - clock_ms();
    }
    log->opened_ms = clock_ms() + log->anchor_ms;
}

/* The first that a start writes. A disk that is full of what a killed process had not
 * moved yet has room once it is moved. */
static enum status note_anchor(struct durable_log *log)
{
    enum status st = log_db_set(log->writer, LOG_DB_ANCHOR, log->anchor_ms);

    if (st && !log_db_is_damaged(log->writer) && !durable_move(log))
        st = log_db_set(log->writer, LOG_DB_ANCHOR, log->anchor_ms);
    return st;
}

/* What a start writes. */
static enum status begin(struct durable_log *log, const struct log_testimony *testimony,
                         const struct log_findings *findings, enum log_verdict verdict)
{
    set_anchor(log, testimony);
    enum status st = note_anchor(log);
    if (!st && verdict != LOG_GOES_ON)
        return durable_begin_epoch(log, log_verdict_text(verdict));
    return st ? st : testify(log, findings->epoch, findings->head);
}

static enum status settle_epoch(struct durable_log *log,
                                const struct log_testimony *testimony,
                                const struct log_findings *findings)
{
    enum log_verdict verdict = log_epoch_judge(testimony, findings, log->boot_id);
    enum status st = ST_OK;

    if (verdict == LOG_IS_DAMAGED || verdict == LOG_LACKS_EVENTS)
        st = start_anew(log, log_verdict_text(verdict));
    if (!st)
        st = begin(log, testimony, findings, verdict);
    if (!st || !log->writer || !log_db_is_corrupt(log->writer))
        return st;
    /* What could be read may still be damaged where only writing looks. */
    st = start_anew(log, log_verdict_text(LOG_IS_DAMAGED));
    return st ? st : begin(log, testimony, findings, LOG_IS_DAMAGED);
}

static enum status open_others(struct durable_log *log)
{
    char path[LOG_PATH_BYTES];
    bool is_damaged;

    log_folder_path(log->folder, "log.db", path);
    enum status st = log_db_open(path, LOG_DB_READS, &log->reader, &is_damaged);
    if (st)
        return st;
    return durable_start_tidier(log);
}

static enum status open_parts(struct durable_log *log, const char **reason)
{
    char path[LOG_PATH_BYTES];
    struct log_testimony testimony;
    struct log_findings findings;

    enum status st = log_folder_claim(log->folder, &log->lock, reason);
    if (st)
        return st;
    *reason = "data_dir: the log cannot be opened or written; is the disk full, or its "
              "file system a network's?";
    log_boot_id(log->boot_id);
    log_folder_path(log->folder, "witness", path);
    st = log_witness_open(path, &log->witness, &testimony);
    log->are_sessions_old = !st && log_witness_doubts_sessions(log->witness);
    if (!st)
        st = open_writer(log, &findings);
    if (!st)
        st = settle_epoch(log, &testimony, &findings);
    if (!st)
        st = open_others(log);
    return st;
}

void durable_release(struct durable_log *log)
{
    uv_mutex_destroy(&log->moving);
    event_log_finish(&log->base);
    if (log->lock >= 0)
        close(log->lock);
    free(log->folder);
    free(log);
}

static bool init_locks(struct durable_log *log)
{
    if (uv_mutex_init(&log->moving))
        return false;
    if (event_log_init(&log->base, &durable_ops, &log->config.keep))
        return true;
    uv_mutex_destroy(&log->moving);
    return false;
}

enum status event_log_open(const struct event_log_config *config, struct event_log **log,
                           const char **reason)
{
    struct durable_log *self = calloc(1, sizeof *self);

    *reason = "out of memory";
    if (!self)
        return ST_NO_MEMORY;
    self->config = *config;
    self->lock = -1;
    self->row.max = LOG_ROW_BYTES + LOG_ROW_EVENT_BYTES + LIMIT_ENVELOPE_BYTES;
    self->keys.max = DURABLE_MAX_BATCH * LOG_KEY_BYTES;
    self->folder = slice_dup(slice_of(config->folder));
    if (!self->folder || !init_locks(self)) {
        free(self->folder);
        free(self);
        return ST_NO_MEMORY;
    }
    enum status st = open_parts(self, reason);
    if (st) {
        durable_destroy(&self->base);
        return st;
    }
    *log = &self->base;
    return ST_OK;
}

/*
 * What the durable log keeps beside its events: idempotency keys, sessions, users,
 * gateways. See event_log.h.
 */
#include "bridge/event_log_durable.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

#include <limits.h>

enum {
    NOTES_AT_ONCE = 2000,
    HEAL_EVERY_MS = 200,
    TIDY_EVERY_MS = 500,
};

static bool is_due(const struct durable_log *log, uint64_t now_ms)
{
    if (log->base.state.is_down)
        return now_ms - log->tidied_ms >= HEAL_EVERY_MS;
    return durable_is_overtaken(log) ||
           (log->has_notes && now_ms - log->tidied_ms >= TIDY_EVERY_MS);
}

static void forget_notes(struct durable_log *log, uint64_t at_ms)
{
    uint64_t until = at_ms > log->config.key_age_ms ? at_ms - log->config.key_age_ms : 0;
    enum status st = durable_begin(log);
    if (!st)
        st = log_db_forget(log->writer, LOG_DB_KEYS, until, NOTES_AT_ONCE);
    /* Whoever was there before this start and has not come back by now will not. */
    if (!st && at_ms > log->opened_ms + log->config.session_age_ms)
        st = log_db_forget(log->writer, LOG_DB_SESSIONS, log->opened_ms, NOTES_AT_ONCE);
    /* Nor are its events sent again. */
    if (!st)
        st = log_db_forget(log->writer, LOG_DB_GATEWAYS, until, NOTES_AT_ONCE);
    if (!st)
        st = log_db_set(log->writer, LOG_DB_ANCHOR, log->anchor_ms);
    durable_settle(log, st);
}

void durable_tidy(struct durable_log *log, uint64_t now_ms)
{
    if (log->base.is_lost || !is_due(log, now_ms))
        return;
    log->tidied_ms = now_ms;
    if (log->base.state.is_down)
        durable_move(log); /* what is moved makes room */
    if (durable_is_overtaken(log))
        durable_leave_epoch(log, "a gateway has seen more than the log has");
    else
        forget_notes(log, now_ms + log->anchor_ms);
}

struct key_visit {
    event_log_key_fn *visit;
    void *ctx;
    uint64_t at_ms;
};

static bool visit_keys(void *ctx, struct slice name, uint64_t at_ms, struct slice bytes)
{
    struct key_visit *keys = ctx;
    struct log_key key;
    struct position position;

    (void)name;
    while (log_key_decode(&bytes, &key, &position) == ST_OK)
        keys->visit(keys->ctx, &key, &position,
                    keys->at_ms > at_ms ? keys->at_ms - at_ms : 0);
    return true;
}

void durable_keys(struct event_log *base, event_log_key_fn *visit, void *ctx)
{
    struct durable_log *log = (struct durable_log *)base;
    struct key_visit keys = {visit, ctx, clock_ms() + log->anchor_ms};

    log_db_notes(log->writer, LOG_DB_KEYS, visit_keys, &keys);
}

/* --- sessions, users, gateways --- */

static enum log_db_table table_of(enum event_log_subject subject)
{
    static const enum log_db_table tables[] = {
        [EVENT_LOG_SESSION] = LOG_DB_SESSIONS,
        [EVENT_LOG_USER] = LOG_DB_USERS,
        [EVENT_LOG_GATEWAY] = LOG_DB_GATEWAYS,
    };

    return tables[subject];
}

enum status durable_record(struct durable_log *log, const struct event_log_record *record,
                           uint64_t at_ms)
{
    enum log_db_table table = table_of(record->subject);

    log->has_notes = true;
    if (record->bytes.len == 0)
        return log_db_unnote(log->writer, table, record->name);
    return log_db_note(log->writer, table, record->name, at_ms, record->bytes);
}

enum status durable_records(struct event_log *base, const struct event_log_record *first,
                            uint64_t now_ms)
{
    struct durable_log *log = (struct durable_log *)base;
    uint64_t at_ms = now_ms + log->anchor_ms;

    if (base->is_lost)
        return ST_LOG_DOWN;
    enum status st = durable_begin(log);
    if (!st && log->are_sessions_old)
        st = log_db_forget(log->writer, LOG_DB_SESSIONS, INT64_MAX, INT_MAX);
    for (const struct event_log_record *record = first; record && !st;
         record = record->next)
        st = durable_record(log, record, at_ms);
    st = durable_settle(log, st) ? ST_LOG_DOWN : ST_OK;
    if (!st)
        log->are_sessions_old = false;
    /* Clients are told all the same: if this process dies now, nobody may come back to
     * what is older. */
    log_witness_doubt_sessions(log->witness, st != ST_OK);
    return st;
}

void durable_doubt_sessions(struct event_log *base)
{
    struct durable_log *log = (struct durable_log *)base;

    log->are_sessions_old = true;
    log_witness_doubt_sessions(log->witness, true);
}

struct session_visit {
    event_log_session_fn *visit;
    void *ctx;
    uint64_t now_ms; /* as the rows' */
};

static bool visit_session(void *ctx, struct slice name, uint64_t at_ms,
                          struct slice bytes)
{
    struct session_visit *sessions = ctx;

    (void)name;
    sessions->visit(sessions->ctx, bytes,
                    sessions->now_ms > at_ms ? sessions->now_ms - at_ms : 0);
    return true;
}

void durable_sessions(struct event_log *base, event_log_session_fn *visit, void *ctx)
{
    struct durable_log *log = (struct durable_log *)base;
    struct session_visit sessions = {visit, ctx, clock_ms() + log->anchor_ms};

    if (log->are_sessions_old || test_hook_no_sessions())
        return;
    log_db_notes(log->writer, LOG_DB_SESSIONS, visit_session, &sessions);
}

struct note_visit {
    event_log_note_fn *visit;
    void *ctx;
};

static bool visit_note(void *ctx, struct slice name, uint64_t at_ms, struct slice bytes)
{
    struct note_visit *notes = ctx;

    (void)at_ms;
    notes->visit(notes->ctx, name, bytes);
    return true;
}

void durable_notes(struct event_log *base, enum event_log_subject subject,
                   event_log_note_fn *visit, void *ctx)
{
    struct durable_log *log = (struct durable_log *)base;
    struct note_visit notes = {visit, ctx};

    log_db_notes(log->writer, table_of(subject), visit_note, &notes);
}

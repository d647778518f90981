/*
 * Inside the durable log: its memory, which event_log_opening.c makes and
 * event_log_durable.c uses. Nobody else includes this.
 */
#ifndef BRIDGE_EVENT_LOG_DURABLE_H
#define BRIDGE_EVENT_LOG_DURABLE_H

#include "bridge/event_log_parts.h"
#include "bridge/log_folder.h"
#include "bridge/log_sqlite.h"
#include "bridge/log_witness.h"

enum {
    DURABLE_MAX_BATCH = 1024,
    DURABLE_AGES = 33, /* places in time that are remembered */
};

/* Which of the events that retention removed were how old. */
struct durable_age {
    uint64_t at_ms; /* as the rows' */
    uint64_t seq;
};

/* Where the rows end. */
struct durable_end {
    uint64_t row;   /* the last one's last seq */
    uint64_t noted; /* what the database says of it beside the head */
};

struct durable_log {
    struct event_log base;
    struct event_log_config config;
    char *folder;
    int lock;
    unsigned char boot_id[LOG_BOOT_ID_BYTES];

    /* Writer thread. */
    struct log_db *writer;
    struct log_witness *witness;
    bool are_sessions_old; /* those that are kept are not to be believed */
    struct buf row, keys;  /* that are being made */
    uint64_t anchor_ms;    /* `at_ms` of rows is the monotonic clock plus this */
    struct durable_end end;
    uint64_t marked_row; /* what was removed up to here is noted, and may be deleted … */
    uint64_t deleted_row; /* … and is deleted up to here, or there was nothing */
    uint64_t oldest_ms;   /* of the oldest row, or earlier */
    uint64_t opened_ms;   /* as the rows' */
    uint64_t newest_ms;   /* of all that a start found */
    uint64_t trimmed_ms, tidied_ms, marked_ms;
    bool is_trimming;               /* a slice was not enough */
    bool has_notes;                 /* some were written, or found */
    char *spent[DURABLE_MAX_BATCH]; /* bytes of the last batch */
    size_t spent_count;
    struct durable_age ages[DURABLE_AGES]; /* a ring, in their order */
    size_t first_age, age_count;

    /* Reading thread. */
    struct log_db *reader;
    uint64_t read_epoch;
    bool is_unreadable; /* since something was read last; it has been told */

    uint64_t removed_row; /* under the lock: rows up to here are not the log's any more */

    struct log_db *tidier; /* its thread opens it */
    uv_thread_t tidier_thread;
    uv_sem_t wake_tidier;
    uv_mutex_t moving;      /* a checkpoint runs */
    unsigned moved_commits; /* under it: how many commits there were at the last one */
    bool is_stuck;          /* the same: the last one failed; it has been told */
    atomic_uint commits;
    int asked_pages; /* in the write-ahead log when it was last asked to move some */
    atomic_bool is_stopping;
    bool has_tidier;
};

/* Frees the bytes of the last batch: nobody reads them any more. */
void durable_free_spent(struct durable_log *log);
/* Frees what is not closed yet: paths, lock, the common part. */
void durable_release(struct durable_log *log);
/* Forgets all events; on failure the old epoch goes on. */
enum status durable_begin_epoch(struct durable_log *log, const char *why);
/* The same of a log that is open: while it cannot, the log is down. */
void durable_leave_epoch(struct durable_log *log, const char *why);
/* Somebody has seen more of its epoch. The writer's thread. */
bool durable_is_overtaken(const struct durable_log *log);

enum status durable_append(struct event_log *base, const struct event_log_entry *entries,
                           size_t count, uint64_t now_ms, uint64_t *first);
bool durable_trim(struct event_log *base, uint64_t now_ms);
/* Readers know it first: whoever finds a row missing is told why. */
void durable_remove(struct durable_log *log, uint64_t floor, uint64_t row);
/* Inside a transaction: what was removed, so that a start knows it of each room. */
enum status durable_note_marks(struct durable_log *log, uint64_t epoch);
bool durable_begin_read(struct event_log *base, uint64_t epoch);
void durable_read(struct event_log *base, uint64_t after, uint64_t through,
                  struct event_log_reading *reading);
void durable_end_read(struct event_log *base);
void durable_pick(struct event_log *base, const uint64_t *seqs, size_t count,
                  struct event_log_reading *reading);
/* Something that must be there is not. Any thread. */
void durable_condemn(struct event_log *base);
void durable_keys(struct event_log *base, event_log_key_fn *visit, void *ctx);
enum status durable_records(struct event_log *base, const struct event_log_record *first,
                            uint64_t now_ms);
void durable_doubt_sessions(struct event_log *base);
void durable_sessions(struct event_log *base, event_log_session_fn *visit, void *ctx);
void durable_notes(struct event_log *base, enum event_log_subject subject,
                   event_log_note_fn *visit, void *ctx);
/* Inside a transaction. */
enum status durable_record(struct durable_log *log, const struct event_log_record *record,
                           uint64_t at_ms);
/* A new epoch, old notes, and, while nothing can be written, whether it can be again. */
void durable_tidy(struct durable_log *log, uint64_t now_ms);
/* A transaction of the writer. ST_LOG_DOWN where there is no room for it. */
enum status durable_begin(struct durable_log *log);
/* Ends it: commits on ST_OK. Says whether the log is up. */
enum status durable_settle(struct durable_log *log, enum status st);
void durable_close(struct event_log *base);
void durable_destroy(struct event_log *base);
/* The writer's thread, after a commit. */
void durable_committed(struct durable_log *log);
/* Moves the write-ahead log. The writer's thread. */
enum status durable_move(struct durable_log *log);
enum status durable_start_tidier(struct durable_log *log);
void durable_stop_tidier(struct durable_log *log);

#endif

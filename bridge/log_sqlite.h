/*
 * The database of the durable log: rows in and out, no decisions. The only module that
 * knows SQLite. One connection belongs to one thread at a time; a database has several:
 * one that writes, one that reads, one that moves the write-ahead log into the file.
 *
 * What fails gives ST_LOG_DOWN and has changed nothing once it is rolled back: the disk
 * may be full, and it may heal. log_db_is_damaged says that it will not.
 */
#ifndef BRIDGE_LOG_SQLITE_H
#define BRIDGE_LOG_SQLITE_H

#include "proto/log_row.h"
#include "proto/status.h"

struct log_db;

enum log_db_mode {
    LOG_DB_WRITES,      /* a commit survives the process */
    LOG_DB_WRITES_SYNC, /* and the loss of power */
    LOG_DB_READS,
    LOG_DB_TIDIES,
};

/*
 * Gives a connection (log_db_close); a writing one makes the database where it is absent.
 * ST_LOG_DOWN: `*is_damaged` says whether the file is at fault or the system.
 */
enum status log_db_open(const char *path, enum log_db_mode mode, struct log_db **db,
                        bool *is_damaged);
/* NULL does nothing. The last connection of a sound database leaves one whole file. */
void log_db_close(struct log_db *db);

bool log_db_is_damaged(const struct log_db *db);
/* It is, and for what lies in the file, not for what was to be written. */
bool log_db_is_corrupt(const struct log_db *db);
/* Pages in the write-ahead log after the last commit of this connection. */
int log_db_wal_pages(const struct log_db *db);

/* A writing or reading transaction; a reading one sees one moment. */
enum status log_db_begin(struct log_db *db);
enum status log_db_commit(struct log_db *db);
void log_db_rollback(struct log_db *db);

enum log_db_number {
    LOG_DB_EPOCH,
    LOG_DB_ANCHOR,   /* ms between the clock of `at_ms` and the monotonic one */
    LOG_DB_HEAD,     /* where that is beyond the last row … */
    LOG_DB_HEAD_ROW, /* … which then was this one, by its seq */
    LOG_DB_NUMBERS
};
/* 0 when it was never set. */
enum status log_db_get(struct log_db *db, enum log_db_number number, uint64_t *value);
enum status log_db_set(struct log_db *db, enum log_db_number number, uint64_t value);

/* --- events --- */

enum status log_db_add(struct log_db *db, const struct log_row *row);

/* `row` is lent for the call, its epoch 0; `sum` is to be compared. False: stop. */
typedef bool log_db_visit_fn(void *ctx, const struct log_row *row, uint64_t sum);
/* The rows with seqs after `after` up to and including `through`, in order. */
enum status log_db_read(struct log_db *db, uint64_t after, uint64_t through,
                        log_db_visit_fn *visit, void *ctx);
/* Removes the rows up to `through`, the first `count` of them. */
enum status log_db_remove(struct log_db *db, uint64_t through, size_t count);
/* Rows that the last change changed. */
int log_db_changes(const struct log_db *db);
enum status log_db_clear(struct log_db *db);

/* --- notes: small rows with a name, in tables of their own --- */

enum log_db_table {
    LOG_DB_KEYS,     /* idempotency keys, those of a commit: a name may come again */
    LOG_DB_SESSIONS, /* a name has one note: the last */
    LOG_DB_USERS,    /* the same */
    LOG_DB_MARKS,    /* the same */
    LOG_DB_GATEWAYS, /* the same */
};

enum status log_db_note(struct log_db *db, enum log_db_table table, struct slice name,
                        uint64_t at_ms, struct slice bytes);
/* Of sessions and users. */
enum status log_db_unnote(struct log_db *db, enum log_db_table table, struct slice name);
/* Of keys, sessions and gateways: removes at most `count` of those from before `at_ms`.
 */
enum status log_db_forget(struct log_db *db, enum log_db_table table, uint64_t at_ms,
                          size_t count);

/* Lent for the call. False: stop. */
typedef bool log_db_note_fn(void *ctx, struct slice name, uint64_t at_ms,
                            struct slice bytes);
/* In the order of their writing. One whose checksum is wrong ends it with ST_LOG_DOWN,
 * and the database is damaged. */
enum status log_db_notes(struct log_db *db, enum log_db_table table,
                         log_db_note_fn *visit, void *ctx);

/* Moves the write-ahead log into the file, and waits for nobody. LOG_DB_TIDIES: what can
 * be moved beside a writer. Of a writer: all of it, and the log is empty then; as far as
 * a reader allows, and nothing is emptied. */
enum status log_db_checkpoint(struct log_db *db);

/* Only tests of a full disk call this: the database may have so many pages. */
void log_db_limit_pages(struct log_db *db, unsigned pages);

#endif

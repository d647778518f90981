/*
 * Tables, statements and connections: see the header.
 *
 * Events stand by seq, so that they are appended at the end of one tree and removed at
 * its beginning, a page at a time. Notes stand in the order of their writing.
 */
#include "bridge/log_sqlite.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORMAT = 3,    /* PRAGMA user_version */
    NUMBERS = 100, /* in checksums, where tables of notes have their own number */
    BUSY_MS = 2000,
};

enum statement {
    DO_NOTHING,
    DO_BEGIN_WRITE,
    DO_BEGIN_READ,
    DO_COMMIT,
    DO_ROLLBACK,
    DO_GET,
    DO_SET,
    DO_ADD,
    DO_READ,
    DO_REMOVE,
    DO_CLEAR,
    DO_NOTE_KEYS,
    DO_FORGET_KEYS,
    DO_VISIT_KEYS,
    DO_NOTE_SESSION,
    DO_UNNOTE_SESSION,
    DO_FORGET_SESSIONS,
    DO_VISIT_SESSIONS,
    DO_NOTE_USER,
    DO_UNNOTE_USER,
    DO_VISIT_USERS,
    DO_NOTE_MARKS,
    DO_VISIT_MARKS,
    DO_NOTE_GATEWAY,
    DO_FORGET_GATEWAYS,
    DO_VISIT_GATEWAYS,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [DO_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [DO_BEGIN_READ] = "BEGIN",
    [DO_COMMIT] = "COMMIT",
    [DO_ROLLBACK] = "ROLLBACK",
    [DO_GET] = "SELECT name, value, sum FROM number ORDER BY name",
    [DO_SET] = "REPLACE INTO number (name, value, sum) VALUES (?1, ?2, ?3)",
    [DO_ADD] = "INSERT INTO event (seq, prev, at, sum, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    [DO_READ] = "SELECT seq, prev, at, sum, body FROM event WHERE seq > ?1 ORDER BY seq",
    [DO_REMOVE] = "DELETE FROM event WHERE seq <= (SELECT max(seq) FROM (SELECT seq "
                  "FROM event WHERE seq <= ?1 ORDER BY seq LIMIT ?2))",
    [DO_CLEAR] = "DELETE FROM event",
    /* Keys come by the thousand under names without order: they have no index. */
    [DO_NOTE_KEYS] = "INSERT INTO key (name, at, sum, body) VALUES (?1, ?2, ?3, ?4)",
    [DO_FORGET_KEYS] = "DELETE FROM key WHERE n < (SELECT min(n) + ?2 FROM key) "
                       "AND at < ?1",
    [DO_VISIT_KEYS] = "SELECT name, at, sum, body FROM key ORDER BY n",
    [DO_NOTE_SESSION] = "REPLACE INTO session (name, at, sum, body) "
                        "VALUES (?1, ?2, ?3, ?4)",
    [DO_UNNOTE_SESSION] = "DELETE FROM session WHERE name = ?1",
    [DO_FORGET_SESSIONS] = "DELETE FROM session WHERE n IN "
                           "(SELECT n FROM session WHERE at < ?1 LIMIT ?2)",
    [DO_VISIT_SESSIONS] = "SELECT name, at, sum, body FROM session ORDER BY n",
    [DO_NOTE_USER] = "REPLACE INTO user (name, at, sum, body) VALUES (?1, ?2, ?3, ?4)",
    [DO_UNNOTE_USER] = "DELETE FROM user WHERE name = ?1",
    [DO_VISIT_USERS] = "SELECT name, at, sum, body FROM user ORDER BY n",
    [DO_NOTE_MARKS] = "REPLACE INTO marks (name, at, sum, body) VALUES (?1, ?2, ?3, ?4)",
    [DO_VISIT_MARKS] = "SELECT name, at, sum, body FROM marks ORDER BY n",
    [DO_NOTE_GATEWAY] = "REPLACE INTO gateway (name, at, sum, body) "
                        "VALUES (?1, ?2, ?3, ?4)",
    [DO_FORGET_GATEWAYS] = "DELETE FROM gateway WHERE n IN "
                           "(SELECT n FROM gateway WHERE at < ?1 LIMIT ?2)",
    [DO_VISIT_GATEWAYS] = "SELECT name, at, sum, body FROM gateway ORDER BY n",
};

/* What can be done with the notes of each table, in the order of the tables. */
static const struct {
    enum statement note, unnote, forget, visit;
} note_texts[] = {
    {DO_NOTE_KEYS,    DO_NOTHING,        DO_FORGET_KEYS,     DO_VISIT_KEYS    },
    {DO_NOTE_SESSION, DO_UNNOTE_SESSION, DO_FORGET_SESSIONS, DO_VISIT_SESSIONS},
    {DO_NOTE_USER,    DO_UNNOTE_USER,    DO_NOTHING,         DO_VISIT_USERS   },
    {DO_NOTE_MARKS,   DO_NOTHING,        DO_NOTHING,         DO_VISIT_MARKS   },
    {DO_NOTE_GATEWAY, DO_NOTHING,        DO_FORGET_GATEWAYS, DO_VISIT_GATEWAYS},
};

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE number (name INTEGER PRIMARY KEY, value INTEGER NOT NULL,"
    " sum INTEGER NOT NULL);"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, prev INTEGER NOT NULL,"
    " at INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE key (n INTEGER PRIMARY KEY, name BLOB NOT NULL,"
    " at INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE session (n INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,"
    " at INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE user (n INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,"
    " at INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE marks (n INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,"
    " at INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "PRAGMA user_version = 3;"
    "COMMIT";

/* Came later: a log of before gets it, and has it without harm where an older program
 * opens it again. */
static const char later_schema[] =
    "CREATE TABLE IF NOT EXISTS gateway (n INTEGER PRIMARY KEY,"
    " name BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, sum INTEGER NOT NULL,"
    " body BLOB NOT NULL)";

struct log_db {
    sqlite3 *handle;
    sqlite3_stmt *statements[STATEMENTS];
    enum log_db_mode mode;
    int wal_pages;
    bool is_damaged, is_corrupt;
};

/* The bytes are wrong, or cannot be had. Of an errno that tells of a broken disk SQLite
 * makes CORRUPTFS, and of that CORRUPT where a statement meets it. */
static bool is_contents(int code, int extended)
{
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
           extended == SQLITE_IOERR_READ || extended == SQLITE_IOERR_CORRUPTFS ||
           extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_DATA;
}

static enum status judge(struct log_db *db, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return ST_OK;
    int extended = sqlite3_extended_errcode(db->handle);
    db->is_corrupt = db->is_corrupt || is_contents(code & 0xff, extended);
    /* What no room on the disk will heal. After a failed sync nobody knows what is on it.
     */
    if (db->is_corrupt || extended == SQLITE_IOERR_FSYNC)
        db->is_damaged = true;
    return ST_LOG_DOWN;
}

static int on_commit(void *ctx, sqlite3 *handle, const char *name, int pages)
{
    struct log_db *db = ctx;

    (void)handle;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static enum status execute(struct log_db *db, const char *text)
{
    return judge(db, sqlite3_exec(db->handle, text, NULL, NULL, NULL));
}

static int on_journal_mode(void *ctx, int columns, char **values, char **names)
{
    bool *is_wal = ctx;

    (void)columns;
    (void)names;
    *is_wal = strcmp(values[0], "wal") == 0;
    return 0;
}

/* Where files cannot be mapped for several connections, SQLite goes on without a
 * write-ahead log and says it in its answer alone. */
static enum status use_wal(struct log_db *db)
{
    bool is_wal = false;
    enum status st = judge(db, sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL",
                                            on_journal_mode, &is_wal, NULL));

    return st ? st : is_wal ? ST_OK : ST_LOG_DOWN;
}

static enum status read_format(struct log_db *db, int *format)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *format = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    return judge(db, code);
}

static bool is_writer(const struct log_db *db)
{
    return db->mode == LOG_DB_WRITES || db->mode == LOG_DB_WRITES_SYNC;
}

static enum status set_up(struct log_db *db)
{
    int format = 0;

    sqlite3_busy_timeout(db->handle, BUSY_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    enum status st =
        execute(db, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
    if (!st)
        st = use_wal(db);
    if (!st)
        st = execute(db, "PRAGMA wal_autocheckpoint = 0;"
                         "PRAGMA journal_size_limit = 16777216");
    if (!st)
        st = execute(db, db->mode == LOG_DB_WRITES_SYNC ? "PRAGMA synchronous = FULL"
                                                        : "PRAGMA synchronous = NORMAL");
    if (!st)
        st = read_format(db, &format);
    if (!st && format == 0 && is_writer(db))
        st = execute(db, schema);
    bool is_foreign = !st && format != 0 && format != FORMAT;
    if (is_foreign)
        st = ST_LOG_DOWN;
    if (!st && is_writer(db))
        st = execute(db, later_schema);
    if (is_foreign || (st && sqlite3_errcode(db->handle) == SQLITE_ERROR))
        db->is_damaged = true; /* other tables than ours */
    if (!st && is_writer(db))
        sqlite3_wal_hook(db->handle, on_commit, db);
    return st;
}

/* Lends the statement, made when it is first needed: each connection uses a few of them.
 * NULL where it cannot be made, which steps and binds as one that fails. */
static sqlite3_stmt *take(struct log_db *db, enum statement which)
{
    sqlite3_stmt **statement = &db->statements[which];
    int code = SQLITE_OK;

    if (!*statement)
        code = sqlite3_prepare_v3(db->handle, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL);
    if (code == SQLITE_ERROR)
        db->is_damaged = true; /* a table is missing, or another one */
    judge(db, code);
    return *statement;
}

/* What ends a transaction is there before the first begins: memory may be short then,
 * and one that is not ended keeps the write-ahead log from being moved. */
static enum status prepare_ends(struct log_db *db)
{
    return take(db, DO_COMMIT) && take(db, DO_ROLLBACK) ? ST_OK : ST_LOG_DOWN;
}

enum status log_db_open(const char *path, enum log_db_mode mode, struct log_db **db,
                        bool *is_damaged)
{
    struct log_db *self = calloc(1, sizeof *self);

    *is_damaged = false;
    if (!self)
        return ST_NO_MEMORY;
    self->mode = mode;
    /* Without statistics an allocation takes no lock. Only the process's first counts. */
    if (is_writer(self))
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    enum status st = judge(self, sqlite3_open_v2(path, &self->handle, flags, NULL));
    if (!st)
        st = set_up(self);
    if (!st)
        st = prepare_ends(self);
    if (!st) {
        *db = self;
        return ST_OK;
    }
    *is_damaged = self->is_damaged;
    log_db_close(self);
    return st;
}

void log_db_close(struct log_db *db)
{
    if (!db)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->handle);
    free(db);
}

bool log_db_is_damaged(const struct log_db *db)
{
    return db->is_damaged;
}

bool log_db_is_corrupt(const struct log_db *db)
{
    return db->is_corrupt;
}

int log_db_wal_pages(const struct log_db *db)
{
    return db->wal_pages;
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t value)
{
    sqlite3_bind_int64(statement, at, (sqlite3_int64)value);
}

static void bind_bytes(sqlite3_stmt *statement, int at, struct slice bytes)
{
    if (bytes.len == 0)
        sqlite3_bind_zeroblob(statement, at, 0);
    else
        sqlite3_bind_blob64(statement, at, bytes.ptr, bytes.len, SQLITE_STATIC);
}

static uint64_t column_number(sqlite3_stmt *statement, int at)
{
    return (uint64_t)sqlite3_column_int64(statement, at);
}

static struct slice column_bytes(sqlite3_stmt *statement, int at)
{
    const char *bytes = sqlite3_column_blob(statement, at);
    return (struct slice){bytes, (size_t)sqlite3_column_bytes(statement, at)};
}

/* Steps a bound statement that gives no rows. */
static enum status run(struct log_db *db, enum statement which)
{
    sqlite3_stmt *statement = take(db, which);
    enum status st = judge(db, sqlite3_step(statement));

    sqlite3_reset(statement);
    return st;
}

enum status log_db_begin(struct log_db *db)
{
    bool reads = db->mode == LOG_DB_READS;
    return run(db, reads ? DO_BEGIN_READ : DO_BEGIN_WRITE);
}

enum status log_db_commit(struct log_db *db)
{
    return run(db, DO_COMMIT);
}

void log_db_rollback(struct log_db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        run(db, DO_ROLLBACK);
}

static uint64_t number_checksum(uint64_t name, uint64_t value)
{
    return log_note_checksum(NUMBERS, (struct slice){0}, name,
                             (struct slice){(const char *)&value, sizeof value});
}

/* All of them are looked at: one that cannot be believed shows a page that cannot, to
 * which nothing may be written. */
enum status log_db_get(struct log_db *db, enum log_db_number number, uint64_t *value)
{
    sqlite3_stmt *statement = take(db, DO_GET);
    uint64_t next = 0;
    int code;

    *value = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        uint64_t name = column_number(statement, 0), found = column_number(statement, 1);
        if (name < next || column_number(statement, 2) != number_checksum(name, found)) {
            code = SQLITE_CORRUPT;
            db->is_damaged = true;
            break;
        }
        next = name + 1;
        if (name == number)
            *value = found;
    }
    enum status st = db->is_damaged ? ST_LOG_DOWN : judge(db, code);
    sqlite3_reset(statement);
    return st;
}

enum status log_db_set(struct log_db *db, enum log_db_number number, uint64_t value)
{
    sqlite3_stmt *statement = take(db, DO_SET);

    bind_number(statement, 1, number);
    bind_number(statement, 2, value);
    bind_number(statement, 3, number_checksum(number, value));
    return run(db, DO_SET);
}

enum status log_db_add(struct log_db *db, const struct log_row *row)
{
    sqlite3_stmt *statement = take(db, DO_ADD);

    bind_number(statement, 1, row->seq);
    bind_number(statement, 2, row->prev);
    bind_number(statement, 3, row->at_ms);
    bind_number(statement, 4, log_row_checksum(row));
    bind_bytes(statement, 5, row->body);
    return run(db, DO_ADD);
}

enum status log_db_read(struct log_db *db, uint64_t after, uint64_t through,
                        log_db_visit_fn *visit, void *ctx)
{
    sqlite3_stmt *statement = take(db, DO_READ);
    bool goes_on = true;
    int code = SQLITE_DONE;

    if (after > INT64_MAX)
        return ST_OK;
    bind_number(statement, 1, after);
    while (goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct log_row row = {
            .seq = column_number(statement, 0),
            .prev = column_number(statement, 1),
            .at_ms = column_number(statement, 2),
        };
        if (row.prev >= through)
            break;
        row.body = column_bytes(statement, 4);
        goes_on = visit(ctx, &row, column_number(statement, 3));
    }
    enum status st = judge(db, code);
    sqlite3_reset(statement);
    return st;
}

enum status log_db_remove(struct log_db *db, uint64_t through, size_t count)
{
    bind_number(take(db, DO_REMOVE), 1, through);
    bind_number(take(db, DO_REMOVE), 2, count);
    return run(db, DO_REMOVE);
}

int log_db_changes(const struct log_db *db)
{
    return sqlite3_changes(db->handle);
}

enum status log_db_clear(struct log_db *db)
{
    return run(db, DO_CLEAR);
}

enum status log_db_note(struct log_db *db, enum log_db_table table, struct slice name,
                        uint64_t at_ms, struct slice bytes)
{
    enum statement which = note_texts[table].note;
    sqlite3_stmt *statement = take(db, which);

    bind_bytes(statement, 1, name);
    bind_number(statement, 2, at_ms);
    bind_number(statement, 3, log_note_checksum(table, name, at_ms, bytes));
    bind_bytes(statement, 4, bytes);
    return run(db, which);
}

enum status log_db_unnote(struct log_db *db, enum log_db_table table, struct slice name)
{
    enum statement which = note_texts[table].unnote;

    assert(which != DO_NOTHING);
    bind_bytes(take(db, which), 1, name);
    return run(db, which);
}

enum status log_db_forget(struct log_db *db, enum log_db_table table, uint64_t at_ms,
                          size_t count)
{
    enum statement which = note_texts[table].forget;

    assert(which != DO_NOTHING);
    bind_number(take(db, which), 1, at_ms < INT64_MAX ? at_ms : INT64_MAX);
    bind_number(take(db, which), 2, count);
    return run(db, which);
}

enum status log_db_notes(struct log_db *db, enum log_db_table table,
                         log_db_note_fn *visit, void *ctx)
{
    sqlite3_stmt *statement = take(db, note_texts[table].visit);
    bool goes_on = true;
    int code = SQLITE_DONE;

    while (goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct slice name = column_bytes(statement, 0),
                     bytes = column_bytes(statement, 3);
        uint64_t at_ms = column_number(statement, 1);
        if (column_number(statement, 2) != log_note_checksum(table, name, at_ms, bytes)) {
            code = SQLITE_CORRUPT;
            db->is_damaged = true;
            break;
        }
        goes_on = visit(ctx, name, at_ms, bytes);
    }
    enum status st = judge(db, code);
    sqlite3_reset(statement);
    return st;
}

enum status log_db_checkpoint(struct log_db *db)
{
    int mode = db->mode == LOG_DB_TIDIES ? SQLITE_CHECKPOINT_PASSIVE
                                         : SQLITE_CHECKPOINT_TRUNCATE;

    sqlite3_busy_timeout(db->handle, 0);
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, NULL, NULL);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    if (code == SQLITE_OK && is_writer(db))
        db->wal_pages = 0;
    if (code == SQLITE_BUSY)
        return ST_OK; /* somebody reads: another time */
    return judge(db, code);
}

void log_db_limit_pages(struct log_db *db, unsigned pages)
{
    char text[64];

    snprintf(text, sizeof text, "PRAGMA max_page_count = %u", pages);
    execute(db, text);
}

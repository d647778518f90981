/*
 * Moves the write-ahead log into the database's file: a thread with a connection of its
 * own does it beside the writer; the writer itself where that does not keep up.
 *
 * SQLite before 3.51.3 may lose pages (its "WAL-reset bug") when a checkpoint begins just
 * after one that has moved everything, while another connection's commit begins the
 * write-ahead log anew. Only the writer commits, so only the thread beside it has to take
 * care: it begins no checkpoint before a commit has ended since the last one.
 */
#include "bridge/event_log_durable.h"

enum {
    WAL_PAGES = 1000,     /* 4 MB: the tidier is woken … */
    WAL_STEP_PAGES = 250, /* … and again: a commit that comes meanwhile keeps it from
                             having moved all */
    WAL_MAX_PAGES = 2000, /* 8 MB: writes follow each other so fast that it never has;
                             the writer moves the rest */
};

static struct log_db *connection_of(struct durable_log *log)
{
    char path[LOG_PATH_BYTES];
    bool is_damaged = false;

    log_folder_path(log->folder, "log.db", path);
    if (!log->tidier)
        log_db_open(path, LOG_DB_TIDIES, &log->tidier, &is_damaged);
    if (is_damaged)
        durable_condemn(&log->base);
    return log->tidier;
}

/* Inside `moving`. */
static enum status move(struct durable_log *log, struct log_db *db)
{
    enum status st = log_db_checkpoint(db);

    log->moved_commits = atomic_load(&log->commits);
    if (st && !log->is_stuck)
        log_error(log->config.log, "what was committed cannot be moved into the log",
                  LOG_TEXT("data_dir", log->folder));
    log->is_stuck = st != ST_OK;
    return st;
}

static void move_beside_writer(struct durable_log *log)
{
    struct log_db *db = connection_of(log);

    uv_mutex_lock(&log->moving);
    if (db && atomic_load(&log->commits) != log->moved_commits)
        move(log, db);
    uv_mutex_unlock(&log->moving);
    if (db && log_db_is_damaged(db))
        durable_condemn(&log->base);
}

enum status durable_move(struct durable_log *log)
{
    uv_mutex_lock(&log->moving); /* for one move of the tidier's at most */
    enum status st = move(log, log->writer);
    uv_mutex_unlock(&log->moving);
    return st;
}

/* Only when all of it is moved does the write-ahead log begin anew. */
void durable_committed(struct durable_log *log)
{
    int pages = log_db_wal_pages(log->writer);

    atomic_fetch_add(&log->commits, 1);
    if (pages < log->asked_pages)
        log->asked_pages = 0;
    if (pages < WAL_PAGES || pages - log->asked_pages < WAL_STEP_PAGES)
        return;
    log->asked_pages = pages;
    if (pages < WAL_MAX_PAGES) {
        if (log->has_tidier)
            uv_sem_post(&log->wake_tidier);
        return;
    }
    durable_move(log);
    if (log_db_is_damaged(log->writer))
        durable_condemn(&log->base);
}

static void run_tidier(void *arg)
{
    struct durable_log *log = arg;

    while (true) {
        uv_sem_wait(&log->wake_tidier);
        while (uv_sem_trywait(&log->wake_tidier) == 0)
            ;
        if (atomic_load(&log->is_stopping))
            return;
        move_beside_writer(log);
    }
}

enum status durable_start_tidier(struct durable_log *log)
{
    if (uv_sem_init(&log->wake_tidier, 0))
        return ST_NO_MEMORY;
    if (uv_thread_create(&log->tidier_thread, run_tidier, log)) {
        uv_sem_destroy(&log->wake_tidier);
        return ST_NO_MEMORY;
    }
    log->has_tidier = true;
    return ST_OK;
}

void durable_stop_tidier(struct durable_log *log)
{
    if (!log->has_tidier)
        return;
    log->has_tidier = false;
    atomic_store(&log->is_stopping, true);
    uv_sem_post(&log->wake_tidier);
    uv_thread_join(&log->tidier_thread);
    uv_sem_destroy(&log->wake_tidier);
}

/* What waits in the write-ahead log has a ceiling, whoever writes and whoever reads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/clock.h"
#include "support/durable_house.h"

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

enum {
    MIB = 1 << 20,
    BATCH = 100,
};

static size_t wal_bytes(struct house *house)
{
    char path[LOG_PATH_BYTES];
    struct stat found;

    log_folder_path(house->folder, "log.db-wal", path);
    return stat(path, &found) == 0 ? (size_t)found.st_size : 0;
}

static enum status append_large(struct house *house)
{
    struct event_log_entry entries[BATCH];
    uint64_t first;

    for (int i = 0; i < BATCH; i++)
        entries[i] = event_for("r:1", (uint64_t)i, 2000);
    enum status st = event_log_append(house->log, entries, BATCH, 5, &first);
    for (int i = 0; st && i < BATCH; i++)
        free(entries[i].bytes);
    return st;
}

static void note_session(struct house *house, int n)
{
    char name[16];
    int len = snprintf(name, sizeof name, "session-%d", n % 50);
    const struct event_log_record record = {
        .subject = EVENT_LOG_SESSION,
        .name = {name, (size_t)len},
        .bytes = SLICE("what is known of it"),
    };

    assert_int_equal(event_log_records(house->log, &record, 5), ST_OK);
}

/* As a publisher with a little to do all the time: an event, and at once a session. */
static void commits_in_pairs_leave_time_to_move_what_waits(void **state)
{
    struct house house;
    const struct timespec pause = {.tv_nsec = 2000000};
    size_t most = 0;

    (void)state;
    house_open(&house);
    for (int n = 0; n < 1000; n++) {
        append(&house, "r:1", 1, 1, 5);
        note_session(&house, n);
        nanosleep(&pause, NULL);
        most = wal_bytes(&house) > most ? wal_bytes(&house) : most;
    }
    assert_in_range(most, 3 * MIB, 7 * MIB);
    house_remove(&house);
}

static void a_reader_that_stays_stops_the_log_before_the_disk_is_full(void **state)
{
    struct house house;
    struct log_db *reader;
    char path[LOG_PATH_BYTES];
    uint64_t epoch;
    bool is_damaged;
    enum status st = ST_OK;
    int kept = 0;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 100, 10, 5);
    log_folder_path(house.folder, "log.db", path);
    assert_int_equal(log_db_open(path, LOG_DB_READS, &reader, &is_damaged), ST_OK);
    assert_int_equal(log_db_begin(reader), ST_OK);
    assert_int_equal(log_db_get(reader, LOG_DB_EPOCH, &epoch), ST_OK);
    uint64_t began_ms = clock_ms();
    while (!st && kept < 1000) {
        st = append_large(&house);
        kept += !st;
    }
    assert_int_equal(st, ST_LOG_DOWN);
    assert_in_range(wal_bytes(&house), 12 * MIB, 18 * MIB);
    assert_in_range(clock_ms() - began_ms, 0, 10000); /* nobody waits for the reader */
    assert_true(state_of(&house).is_down);

    log_db_close(reader);
    event_log_trim(house.log, 1000);
    assert_false(state_of(&house).is_down);
    assert_int_equal(append_large(&house), ST_OK);
    assert_in_range(wal_bytes(&house), 0, 2 * MIB);
    assert_int_equal(state_of(&house).head.seq, 100 + (kept + 1) * BATCH);
    house_remove(&house);
}

/* As one read after the other does, which each are short. */
static void a_reader_that_ends_in_time_costs_no_publish(void **state)
{
    struct house house;
    struct log_db *reader;
    char path[LOG_PATH_BYTES];
    uint64_t epoch;
    bool is_damaged;

    (void)state;
    house_open(&house);
    const struct log_db *writer = ((struct durable_log *)house.log)->writer;
    append(&house, "r:1", 100, 10, 5);
    log_folder_path(house.folder, "log.db", path);
    assert_int_equal(log_db_open(path, LOG_DB_READS, &reader, &is_damaged), ST_OK);
    assert_int_equal(log_db_begin(reader), ST_OK);
    assert_int_equal(log_db_get(reader, LOG_DB_EPOCH, &epoch), ST_OK);
    while (log_db_wal_pages(writer) < 4000)
        assert_int_equal(append_large(&house), ST_OK);
    log_db_close(reader);
    assert_int_equal(append_large(&house), ST_OK);
    assert_in_range(log_db_wal_pages(writer), 0, 1000);
    assert_false(state_of(&house).is_down);
    house_remove(&house);
}

static void *note_sessions(void *house)
{
    for (int n = 0; n < 2000; n++)
        note_session(house, n);
    return NULL;
}

static void see(void *ctx, struct slice bytes, uint64_t age_ms)
{
    (void)age_ms;
    assert_true(slice_is(bytes, "what is known of it"));
    ++*(int *)ctx;
}

/* The tidier may be at it. */
static bool is_all_moved(struct house *house)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int i = 0; i < 200 && wal_bytes(house) > 0; i++) {
        log_db_checkpoint(((struct durable_log *)house->log)->writer);
        nanosleep(&pause, NULL);
    }
    return wal_bytes(house) == 0;
}

/* What a start reads, it reads while the writer already writes. */
static void what_is_read_beside_the_writer_leaves_nothing_behind(void **state)
{
    struct house house;
    pthread_t writer;
    int seen = 0;

    (void)state;
    house_open(&house);
    for (int n = 0; n < 50; n++)
        note_session(&house, n);
    assert_int_equal(pthread_create(&writer, NULL, note_sessions, &house), 0);
    for (int i = 0; i < 2000; i++)
        event_log_sessions(house.log, see, &seen);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(seen >= 2000 * 50);
    assert_true(is_all_moved(&house));
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_in_pairs_leave_time_to_move_what_waits),
        cmocka_unit_test(what_is_read_beside_the_writer_leaves_nothing_behind),
        cmocka_unit_test(a_reader_that_ends_in_time_costs_no_publish),
        cmocka_unit_test(a_reader_that_stays_stops_the_log_before_the_disk_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

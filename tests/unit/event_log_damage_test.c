/* A durable log that was damaged never lies, and never keeps from starting. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/durable_house.h"

#include "bridge/testing/test_hook.h"

#include <fcntl.h>
#include <sys/stat.h>

static void spoil(struct house *house, const char *name, long at, int bit)
{
    char path[LOG_PATH_BYTES];
    unsigned char byte;

    log_folder_path(house->folder, name, path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= (unsigned char)(1 << bit);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static long size_of(struct house *house, const char *name)
{
    char path[LOG_PATH_BYTES];
    struct stat info;

    log_folder_path(house->folder, name, path);
    return stat(path, &info) ? -1 : (long)info.st_size;
}

/* A copy of everything in the folder, to be spoilt. */
static void copy_folder(struct house *house, const char *from)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", house->folder,
             from, house->folder);
    assert_int_equal(system(command), 0);
}

/* Starts, and either is as it was or says that it is not. */
static void check_honest(struct house *house, uint64_t epoch, uint64_t head)
{
    assert_int_equal(open_log(house), ST_OK);
    struct event_log_state now = state_of(house);
    struct reading reading = read_all(house, 0, NULL, NULL);
    if (now.head.epoch == epoch && !state_of(house).is_lost) {
        assert_int_equal(now.head.seq, head);
        assert_int_equal(reading.count, head);
    } else if (now.head.epoch != epoch) {
        assert_int_equal(reading.count, 0);
    }
    event_log_destroy(house->log);
    house->log = NULL;
}

/* A folder with 60 events, left by a process that died. */
static uint64_t leave_folder(struct house *house, char saved[80])
{
    house_open(house);
    append(house, "r:1", 60, 3, 5);
    uint64_t epoch = state_of(house).head.epoch;
    snprintf(saved, 80, "%s.saved", house->folder);
    char command[256];
    snprintf(command, sizeof command, "cp -a '%s' '%s'", house->folder, saved);
    assert_int_equal(system(command), 0);
    event_log_destroy(house->log);
    house->log = NULL;
    return epoch;
}

static void remove_saved(struct house *house, const char *saved)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", saved);
    assert_int_equal(system(command), 0);
    house_remove(house);
}

static void no_flipped_bit_is_taken_for_an_event(void **state)
{
    static const char *const names[] = {"log.db", "log.db-wal", "witness"};
    struct house house;
    char saved[80];

    (void)state;
    uint64_t epoch = leave_folder(&house, saved);
    srand(7);
    for (int i = 0; i < 150; i++) {
        const char *name = names[i % 3];
        copy_folder(&house, saved);
        long size = size_of(&house, name);
        if (size > 0)
            spoil(&house, name, rand() % (i % 3 == 2 && size > 96 ? 96 : size),
                  rand() % 8);
        check_honest(&house, epoch, 60);
    }
    remove_saved(&house, saved);
}

static void no_cut_file_is_taken_for_the_whole_log(void **state)
{
    static const char *const names[] = {"log.db", "log.db-wal", "witness"};
    struct house house;
    char saved[80], path[LOG_PATH_BYTES];

    (void)state;
    uint64_t epoch = leave_folder(&house, saved);
    for (int i = 0; i < 120; i++) {
        copy_folder(&house, saved);
        log_folder_path(house.folder, names[i % 3], path);
        long size = size_of(&house, names[i % 3]);
        if (size > 0)
            assert_int_equal(
                truncate(path, size - 1 - (i * 34) % (size < 4096 ? size : 4096)), 0);
        check_honest(&house, epoch, 60);
    }
    remove_saved(&house, saved);
}

static void a_lost_end_begins_a_new_epoch(void **state)
{
    struct house house;
    char saved[80], path[LOG_PATH_BYTES];

    (void)state;
    uint64_t epoch = leave_folder(&house, saved);
    copy_folder(&house, saved);
    log_folder_path(house.folder, "log.db-wal", path);
    assert_int_equal(truncate(path, size_of(&house, "log.db-wal") - 1), 0);
    assert_int_equal(open_log(&house), ST_OK);
    assert_int_not_equal(state_of(&house).head.epoch, epoch);
    assert_true(size_of(&house, "log.db.damaged") >= 0);
    remove_saved(&house, saved);
}

static void a_full_disk_refuses_and_heals(void **state)
{
    struct house house;
    struct event_log_entry entry;
    uint64_t first, kept = 0;
    enum status st = ST_OK;

    (void)state;
    house_open(&house);
    log_db_limit_pages(((struct durable_log *)house.log)->writer, 60);
    while (!st && kept < 10000) {
        entry = event_for("r:1", kept + 1, 2000);
        st = event_log_append(house.log, &entry, 1, 5, &first);
        kept += !st;
    }
    free(entry.bytes);
    assert_int_equal(st, ST_LOG_DOWN);
    assert_true(kept > 10 && state_of(&house).is_down);
    assert_int_equal(state_of(&house).head.seq, kept);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, kept);
    log_db_limit_pages(((struct durable_log *)house.log)->writer, 1000000);
    event_log_trim(house.log, 1000);
    assert_false(state_of(&house).is_down);
    append(&house, "r:1", 10, 1, 5);
    restart(&house, false);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, kept + 10);
    house_remove(&house);
}

/* Flips one bit in the text of an event that lies in the database's file. */
static void spoil_text(struct house *house)
{
    static char bytes[1 << 20];
    char path[LOG_PATH_BYTES];

    log_folder_path(house->folder, "log.db", path);
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, bytes, sizeof bytes);
    close(fd);
    char *at = memmem(bytes, (size_t)size, "abcdefghijklmnopqrstuvwxyz", 26);
    assert_non_null(at);
    spoil(house, "log.db", at - bytes + 5, 3);
}

static bool count_event(void *ctx, uint64_t seq, struct slice envelope)
{
    uint64_t *count = ctx;

    (void)seq;
    (void)envelope;
    ++*count;
    return true;
}

/* Everything is in the file, and no page of it in the reader's memory. */
static void open_spoilt(struct house *house, uint64_t *count, struct event_log_state *now)
{
    uint64_t through;

    house_open(house);
    append(house, "r:1", 60, 3, 5);
    event_log_close(house->log);
    spoil_text(house);
    *count = 0;
    event_log_read(house->log, 0, UINT64_MAX, NULL, count_event, count, now, &through);
}

static void a_row_that_goes_bad_is_not_read_and_ends_the_log(void **state)
{
    struct house house;
    struct event_log_state now;
    struct event_log_entry entry = event_for("r:1", 1, 10);
    uint64_t count, first;

    (void)state;
    open_spoilt(&house, &count, &now);
    assert_true(count < 60 && now.is_lost);
    assert_int_equal(event_log_append(house.log, &entry, 1, 5, &first), ST_LOG_DOWN);
    free(entry.bytes);
    restart(&house, false);
    assert_int_not_equal(state_of(&house).head.epoch, now.head.epoch);
    assert_true(size_of(&house, "log.db.damaged") > 0);
    house_remove(&house);
}

/* The last test: the switch stays on. */
static void the_switch_no_checksum_believes_a_bad_row(void **state)
{
    struct house house;
    struct event_log_state now;
    uint64_t count;

    (void)state;
    assert_true(test_hook_set("no-checksum"));
    open_spoilt(&house, &count, &now);
    assert_int_equal(count, 60);
    assert_false(now.is_lost);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flipped_bit_is_taken_for_an_event),
        cmocka_unit_test(no_cut_file_is_taken_for_the_whole_log),
        cmocka_unit_test(a_lost_end_begins_a_new_epoch),
        cmocka_unit_test(a_full_disk_refuses_and_heals),
        cmocka_unit_test(a_row_that_goes_bad_is_not_read_and_ends_the_log),
        cmocka_unit_test(the_switch_no_checksum_believes_a_bad_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

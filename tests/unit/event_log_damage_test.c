/* A durable log that was damaged never lies, and never keeps from starting. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/durable_house.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

#include <fcntl.h>
#include <sqlite3.h>
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

/* --- a log that was left behind, to be spoilt again and again --- */

enum {
    FILES = 3,
    KEYED = 7, /* one in so many events has an id */
};

static const char *const file_names[FILES] = {"log.db", "log.db-wal", "witness"};

struct image {
    char *bytes[FILES];
    size_t size[FILES];
    uint64_t epoch, head, events, keys;
    char trial[64]; /* what was done to it */
};

static void read_file(struct house *house, const char *name, char **bytes, size_t *size)
{
    char path[LOG_PATH_BYTES];

    long found = size_of(house, name);
    assert_true(found > 0);
    *size = (size_t)found;
    *bytes = calloc(1, *size);
    log_folder_path(house->folder, name, path);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && *bytes);
    assert_int_equal(read(fd, *bytes, *size), *size);
    close(fd);
}

static void write_file(struct house *house, const char *name, const char *bytes,
                       size_t size)
{
    char path[LOG_PATH_BYTES];

    log_folder_path(house->folder, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* Nothing of an earlier trial is left. */
static void lay_out(struct house *house, const struct image *image)
{
    static const char *const others[] = {"log.db-shm", "log.db.damaged",
                                         "log.db.damaged-wal", "log.db.damaged-shm"};
    char path[LOG_PATH_BYTES];

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        log_folder_path(house->folder, others[i], path);
        unlink(path);
    }
    for (size_t i = 0; i < FILES; i++)
        write_file(house, file_names[i], image->bytes[i], image->size[i]);
}

static void append_keyed(struct house *house, uint64_t n)
{
    const struct log_key key = {.id = {(unsigned char)n}, .recipients = (uint32_t)n};
    struct event_log_entry entry = event_for("r:1", n, 200);
    uint64_t first;

    entry.key = n % KEYED == 0 ? &key : NULL;
    assert_int_equal(event_log_append(house->log, &entry, 1, 5, &first), ST_OK);
    assert_int_equal(first, n);
}

static void take_row(struct house *house, int seq)
{
    char path[LOG_PATH_BYTES], text[64];
    sqlite3 *db;

    log_folder_path(house->folder, "log.db", path);
    snprintf(text, sizeof text, "DELETE FROM event WHERE seq = %d", seq);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void append_volatile(struct house *house)
{
    struct event_log_entry entry = event_for("r:1", 0, 10);
    uint64_t first;

    entry.is_volatile = true;
    assert_int_equal(event_log_append(house->log, &entry, 1, 5, &first), ST_OK);
    free(entry.bytes);
}

/* So many events by themselves and in batches, left by a process that died: the older
 * half in the file, the others in the write-ahead log. */
static void leave_log(struct house *house, size_t events, struct image *image)
{
    house_open(house);
    for (uint64_t n = 1; n <= events / 4; n++)
        append_keyed(house, n);
    append(house, "r:1", events / 4, 15, 5);
    log_db_checkpoint(((struct durable_log *)house->log)->writer);
    append(house, "r:1", events / 4, 1, 5);
    append_volatile(house);
    append(house, "r:1", events / 4, 15, 5);
    append_volatile(house);
    struct event_log_state state = state_of(house);
    image->epoch = state.head.epoch;
    image->head = state.head.seq;
    image->events = state.events;
    image->keys = events / 4 / KEYED;
    for (size_t i = 0; i < FILES; i++)
        read_file(house, file_names[i], &image->bytes[i], &image->size[i]);
    event_log_destroy(house->log);
    house->log = NULL;
}

static void forget_image(struct house *house, struct image *image)
{
    for (size_t i = 0; i < FILES; i++)
        free(image->bytes[i]);
    house_remove(house);
}

static void count_key(void *ctx, const struct log_key *key,
                      const struct position *position, uint64_t age_ms)
{
    uint64_t *count = ctx;

    (void)age_ms;
    assert_int_equal(key->recipients, position->seq);
    assert_int_equal(key->id[0], (unsigned char)position->seq);
    ++*count;
}

static void check_is(const struct image *image, const char *what, uint64_t found,
                     uint64_t wanted)
{
    if (found != wanted)
        fail_msg("%s: %s are %zu instead of %zu", image->trial, what, (size_t)found,
                 (size_t)wanted);
}

/* Starts, and either everything is as it was or it says that it is not. True: it is. */
static bool is_whole(struct house *house, const struct image *image)
{
    uint64_t keys = 0;

    if (open_log(house))
        fail_msg("%s: no start: %s", image->trial, house->reason);
    struct event_log_state now = state_of(house);
    struct reading reading = read_all(house, 0, NULL, NULL);
    bool goes_on = now.head.epoch == image->epoch && !state_of(house).is_lost;
    if (goes_on) {
        event_log_keys(house->log, count_key, &keys);
        check_is(image, "seqs", now.head.seq, image->head);
        check_is(image, "events", reading.count, image->events);
        check_is(image, "keys", keys, image->keys);
    } else if (now.head.epoch != image->epoch) {
        check_is(image, "events of a new epoch", reading.count, 0);
    }
    event_log_destroy(house->log);
    house->log = NULL;
    return goes_on;
}

static size_t number_of(const char *name, size_t usual)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : usual;
}

static void no_flipped_bit_is_taken_for_an_event(void **state)
{
    size_t flips = number_of("SIDECAST_LOG_FLIPS", 1000), whole = 0;
    struct image image;
    struct house house;

    (void)state;
    leave_log(&house, 60, &image);
    srand((unsigned)number_of("SIDECAST_LOG_SEED", 7));
    for (size_t i = 0; i < flips; i++) {
        size_t file = (size_t)rand() % 8;
        file = file < FILES ? file : file % 2; /* most of them where most is */
        size_t size = file == 2 ? 96 : image.size[file];
        long at = rand() % (long)size;
        int bit = rand() % 8;
        lay_out(&house, &image);
        spoil(&house, file_names[file], at, bit);
        snprintf(image.trial, sizeof image.trial, "bit %d of byte %ld of %s", bit, at,
                 file_names[file]);
        whole += is_whole(&house, &image);
    }
    print_message("%zu bits flipped: %zu logs as they were, %zu new epochs\n", flips,
                  whole, flips - whole);
    assert_true(flips - whole > flips / 3);
    forget_image(&house, &image);
}

/* Every length that ends in the last `cuts` bytes, of the file and of what lies beside
 * it: the last bytes of either are a commit. */
static void no_cut_file_is_taken_for_the_whole_log(void **state)
{
    size_t cuts = number_of("SIDECAST_LOG_CUTS", 4096), whole = 0, trials = 0;
    size_t step = number_of("SIDECAST_LOG_STEP", 1);
    struct image image;
    struct house house;

    (void)state;
    leave_log(&house, cuts > 4096 ? 1200 : 60, &image);
    for (size_t file = 0; file < 2; file++) {
        size_t size = image.size[file];
        assert_true(size >= cuts);
        for (size_t cut = 1; cut <= cuts; cut += step) {
            image.size[file] = size - cut;
            snprintf(image.trial, sizeof image.trial, "%s without %zu bytes",
                     file_names[file], cut);
            lay_out(&house, &image);
            whole += is_whole(&house, &image);
            trials++;
        }
        image.size[file] = size;
    }
    print_message("%zu cuts: %zu logs as they were, %zu new epochs\n", trials, whole,
                  trials - whole);
    assert_true(trials - whole > trials / 3);
    forget_image(&house, &image);
}

/* Nothing follows it, and who was told of the end was told of a volatile event. */
static void a_last_row_that_vanished_begins_a_new_epoch(void **state)
{
    (void)state;
    for (int is_taken = 0; is_taken < 2; is_taken++) {
        struct house house;
        house_open(&house);
        append(&house, "r:1", 10, 1, 5);
        append_volatile(&house);
        uint64_t epoch = state_of(&house).head.epoch;
        event_log_close(house.log);
        event_log_destroy(house.log);
        if (is_taken)
            take_row(&house, 10);
        assert_int_equal(open_log(&house), ST_OK);
        assert_int_equal(state_of(&house).head.epoch == epoch, !is_taken);
        house_remove(&house);
    }
}

/* The list of free places in the page of numbers: who reads a page does not follow it. */
static void open_unwritable(struct house *house)
{
    house_open(house);
    append(house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(house).head.epoch;
    event_log_close(house->log);
    event_log_destroy(house->log);
    spoil(house, "log.db", 4097, 6);
    assert_int_equal(open_log(house), ST_OK);
    assert_int_not_equal(state_of(house).head.epoch, epoch);
}

static void damage_that_only_writing_meets_begins_a_new_epoch(void **state)
{
    struct house house;

    (void)state;
    open_unwritable(&house);
    house_remove(&house);
}

static void see_age(void *ctx, const struct log_key *key, const struct position *position,
                    uint64_t age_ms)
{
    uint64_t *age = ctx;

    (void)key;
    (void)position;
    *age = age_ms;
}

static void what_is_kept_after_it_is_as_old_as_it_is(void **state)
{
    const struct log_key key = {.id = {1}};
    struct event_log_entry entry = event_for("r:1", 1, 200);
    uint64_t first, age_ms = UINT64_MAX;
    struct house house;

    (void)state;
    open_unwritable(&house);
    entry.key = &key;
    assert_int_equal(event_log_append(house.log, &entry, 1, clock_ms(), &first), ST_OK);
    restart(&house, true);
    event_log_keys(house.log, see_age, &age_ms);
    assert_true(age_ms < 60000);
    for (int i = 0; i < 5; i++)
        event_log_trim(house.log, clock_ms() + (uint64_t)i * 600);
    assert_int_equal(state_of(&house).events, 1);
    house_remove(&house);
}

/* Or the next start would find nothing, and the process after it end the same way. */
static void what_a_running_log_found_damaged_is_set_aside(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    durable_condemn(house.log);
    restart(&house, true);
    assert_int_not_equal(state_of(&house).head.epoch, epoch);
    assert_true(size_of(&house, "log.db.damaged") > 0);
    append(&house, "r:1", 10, 1, 5);
    epoch = state_of(&house).head.epoch;
    restart(&house, false);
    assert_int_equal(state_of(&house).head.epoch, epoch);
    house_remove(&house);
}

static void a_lost_end_begins_a_new_epoch(void **state)
{
    struct image image;
    struct house house;

    (void)state;
    leave_log(&house, 60, &image);
    image.size[1]--;
    lay_out(&house, &image);
    assert_int_equal(open_log(&house), ST_OK);
    assert_int_not_equal(state_of(&house).head.epoch, image.epoch);
    assert_true(size_of(&house, "log.db.damaged") >= 0);
    forget_image(&house, &image);
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
        cmocka_unit_test(a_last_row_that_vanished_begins_a_new_epoch),
        cmocka_unit_test(damage_that_only_writing_meets_begins_a_new_epoch),
        cmocka_unit_test(what_is_kept_after_it_is_as_old_as_it_is),
        cmocka_unit_test(what_a_running_log_found_damaged_is_set_aside),
        cmocka_unit_test(a_lost_end_begins_a_new_epoch),
        cmocka_unit_test(a_full_disk_refuses_and_heals),
        cmocka_unit_test(a_row_that_goes_bad_is_not_read_and_ends_the_log),
        cmocka_unit_test(the_switch_no_checksum_believes_a_bad_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

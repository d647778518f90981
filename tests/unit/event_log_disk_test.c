/*
 * A durable log on a disk that fails: a place that cannot be read, a sync that is not
 * done; and with memory that is short for a while. A start succeeds, what runs gives up
 * or waits, and nobody is told that nothing is missing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/durable_house.h"
#include "support/faulty_disk.h"

#include "bridge/clock.h"
#include "bridge/engine_nng_pages.h"
#include "proto/bus_wire.h"

#include <fcntl.h>
#include <time.h>

enum {
    PAGE = 4096,
    WAIT_MS = 5000,
};

/* --- memory that is short --- */

static sqlite3_mem_methods usual_memory;
static atomic_bool is_memory_short;

static void *short_malloc(int size)
{
    return atomic_load(&is_memory_short) ? NULL : usual_memory.xMalloc(size);
}

static void *short_realloc(void *memory, int size)
{
    return atomic_load(&is_memory_short) ? NULL : usual_memory.xRealloc(memory, size);
}

static void install_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual_memory);
    sqlite3_mem_methods memory = usual_memory;
    memory.xMalloc = short_malloc;
    memory.xRealloc = short_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
}

/* --- a log that was left behind, on a disk that goes bad here or there --- */

static const char *const file_names[] = {"log.db", "log.db-wal", "witness"};

enum {
    FILES = sizeof file_names / sizeof *file_names,
};

struct left {
    char *bytes[FILES];
    size_t size[FILES];
    uint64_t epoch;
    struct reading all;
};

static char *path_of(struct house *house, const char *name)
{
    static char path[LOG_PATH_BYTES];

    assert_true(log_folder_path(house->folder, name, path));
    return path;
}

static void read_file(const char *path, char **bytes, size_t *size)
{
    struct stat info = {0};
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    *size = (size_t)info.st_size;
    *bytes = malloc(*size + 1);
    assert_true(*bytes && read(fd, *bytes, *size) == info.st_size);
    close(fd);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* Old events are gone, and have left free pages; half of the others are in the file, and
 * half beside it, as a process leaves them that died. */
static void leave_log(struct house *house, struct left *left)
{
    house_open(house);
    house->config.keep.events = 120;
    restart(house, false);
    append(house, "r:1", 400, 10, 5);
    for (uint64_t now_ms = 3000; now_ms < 9000; now_ms += 300)
        event_log_trim(house->log, now_ms);
    log_db_checkpoint(((struct durable_log *)house->log)->writer);
    append(house, "r:1", 40, 10, 9000);
    left->epoch = state_of(house).head.epoch;
    left->all = read_all(house, 0, NULL, NULL);
    for (size_t i = 0; i < FILES; i++)
        read_file(path_of(house, file_names[i]), &left->bytes[i], &left->size[i]);
    event_log_destroy(house->log);
    house->log = NULL;
}

static void lay_out(struct house *house, const struct left *left, bool has_witness)
{
    static const char *const others[] = {"log.db-shm", "log.db.damaged",
                                         "log.db.damaged-wal"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        unlink(path_of(house, others[i]));
    for (size_t i = 0; i < FILES; i++)
        write_file(path_of(house, file_names[i]), left->bytes[i], left->size[i]);
    if (!has_witness)
        unlink(path_of(house, "witness"));
}

static void forget_left(struct house *house, struct left *left)
{
    for (size_t i = 0; i < FILES; i++)
        free(left->bytes[i]);
    house_remove(house);
}

/* Until the log is given up, or so much was written. */
static void append_much(struct house *house, size_t batches)
{
    struct event_log_entry entries[10];
    uint64_t first;
    enum status st = ST_OK;

    for (size_t n = 0; n < batches && !st; n++) {
        for (size_t i = 0; i < 10; i++)
            entries[i] = event_for("r:1", i, 3000);
        st = event_log_append(house->log, entries, 10, 5, &first);
        for (size_t i = 0; st && i < 10; i++)
            free(entries[i].bytes);
    }
}

/* Starts, and either everything is as it was or an epoch begins that is empty. Writes,
 * which may meet what nobody has read, and starts again. True: it went on. */
static bool starts(struct house *house, const struct left *left)
{
    assert_int_equal(open_log(house), ST_OK);
    struct event_log_state now = state_of(house);
    struct reading found = read_all(house, 0, NULL, NULL);
    bool goes_on = now.head.epoch == left->epoch;
    bool is_aside = access(path_of(house, "log.db.damaged"), F_OK) == 0;

    assert_false(state_of(house).is_lost);
    assert_int_equal(found.count, goes_on ? left->all.count : 0);
    append_much(house, 2);
    uint64_t head = state_of(house).head.seq;
    restart(house, true);
    bool is_anew = state_of(house).head.epoch != now.head.epoch;
    assert_false(is_anew && is_aside); /* what is new is on a sound place */
    assert_int_equal(state_of(house).head.seq, is_anew ? 0 : head);
    event_log_destroy(house->log);
    house->log = NULL;
    return goes_on;
}

struct disease {
    const char *what;
    int error;
    bool
        has_witness; /* without one the log begins anew, and writes to more of the file */
};

static const struct disease diseases[] = {
    {"a sector that is gone",                             EIO,     true },
    {"a block that a file system finds wrong",            EUCLEAN, true },
    {"a sector that is gone, of a log without a witness", EIO,     false},
    {"a block that is wrong, of a log without a witness", EUCLEAN, false},
};

/* Gives how many epochs began; counts trials. */
static size_t sick_pages(struct house *house, const struct left *left, size_t file,
                         const struct disease *disease, size_t *trials)
{
    size_t anew = 0;

    for (off_t at = 0; at < (off_t)left->size[file]; at += PAGE, ++*trials) {
        lay_out(house, left, disease->has_witness);
        faulty_disk_spoil(path_of(house, file_names[file]), at, at + 1, disease->error);
        anew += !starts(house, left);
    }
    faulty_disk_heal();
    return anew;
}

static void a_start_succeeds_whatever_cannot_be_read(void **state)
{
    struct house house;
    struct left left;

    (void)state;
    leave_log(&house, &left);
    for (size_t i = 0; i < sizeof diseases / sizeof *diseases; i++) {
        size_t anew = 0, trials = 0;
        for (size_t file = 0; file < 2; file++)
            anew += sick_pages(&house, &left, file, &diseases[i], &trials);
        print_message("%s: %zu new epochs of %zu\n", diseases[i].what, anew, trials);
        assert_true(trials > 50 && anew > trials / 2);
    }
    forget_left(&house, &left);
}

/* --- while it runs --- */

/* Everything is in the file, no page of the events is in the reader's memory, and the
 * end of the file cannot be read. */
static void open_sick(struct house *house, int error)
{
    struct stat info;

    house_open(house);
    append(house, "r:1", 300, 3, 5);
    event_log_close(house->log);
    assert_int_equal(stat(path_of(house, "log.db"), &info), 0);
    faulty_disk_spoil(path_of(house, "log.db"), info.st_size / 2, info.st_size, error);
}

static void assert_is_given_up(struct house *house, uint64_t epoch)
{
    struct event_log_entry entry = event_for("r:1", 1, 10);
    uint64_t first;

    assert_true(state_of(house).is_lost);
    assert_int_equal(event_log_append(house->log, &entry, 1, 5, &first), ST_LOG_DOWN);
    free(entry.bytes);
    restart(house, false);
    assert_int_not_equal(state_of(house).head.epoch, epoch);
    assert_int_equal(access(path_of(house, "log.db.damaged"), F_OK), 0);
    faulty_disk_heal();
    house_remove(house);
}

static void what_cannot_be_read_ends_the_log(void **state)
{
    static const int errors[] = {EIO, EUCLEAN};
    struct house house;

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_sick(&house, errors[i]);
        uint64_t epoch = state_of(&house).head.epoch;
        assert_in_range(read_all(&house, 0, NULL, NULL).count, 1, 299);
        assert_is_given_up(&house, epoch);
    }
}

/* Its page would say that all is there of which it has a part. */
static void a_log_that_is_given_up_gives_no_page(void **state)
{
    struct house house;
    struct buf request = {.max = 256};
    struct slice answer = {0};

    (void)state;
    open_sick(&house, EIO);
    const struct position head = state_of(&house).head;
    struct page_server *server = page_server_create(house.log);
    const struct replay_request wanted = {
        .after = {head.epoch, 0},
        .through = UINT64_MAX,
        .max_bytes = LIMIT_REPLAY_PAGE_BYTES,
    };
    replay_request_encode(&wanted, &request);
    assert_int_equal(page_server_answer(server, buf_slice(&request), &answer),
                     ST_LOG_DOWN);
    buf_finish(&request);
    page_server_destroy(server);
    assert_is_given_up(&house, head.epoch);
}

/* How many lines with the text come to stderr while it reads `times` times. */
static size_t lines_while_reading(struct house *house, const char *text, int times)
{
    static char lines[1 << 16];
    FILE *file = tmpfile();
    int old = dup(STDERR_FILENO);
    size_t count = 0;

    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    for (int i = 0; i < times; i++)
        read_all(house, 0, NULL, NULL);
    dup2(old, STDERR_FILENO);
    close(old);
    rewind(file);
    lines[fread(lines, 1, sizeof lines - 1, file)] = 0;
    fclose(file);
    for (const char *at = lines; (at = strstr(at, text)); at++)
        count++;
    return count;
}

static void short_memory_passes_and_is_told_once(void **state)
{
    const char *told = "the log cannot be read";
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 300, 3, 5);
    event_log_close(house.log);
    for (int i = 0; i < 2; i++) {
        atomic_store(&is_memory_short, true);
        assert_int_equal(read_all(&house, 0, NULL, NULL).count, 0);
        assert_int_equal(lines_while_reading(&house, told, 3), 0);
        assert_false(state_of(&house).is_lost);
        atomic_store(&is_memory_short, false);
        assert_int_equal(read_all(&house, 0, NULL, NULL).count, 300);
    }
    atomic_store(&is_memory_short, true);
    assert_int_equal(lines_while_reading(&house, told, 3), 1);
    atomic_store(&is_memory_short, false);
    house_remove(&house);
}

/* --- syncs --- */

static bool is_lost_soon(struct house *house)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    uint64_t until_ms = clock_ms() + WAIT_MS;

    while (!state_of(house).is_lost && clock_ms() < until_ms)
        nanosleep(&pause, NULL);
    return state_of(house).is_lost;
}

static void a_sync_that_fails_beside_the_writer_ends_the_log(void **state)
{
    struct house house;

    (void)state;
    for (unsigned n = 1; n <= 2; n++) { /* of what lies beside the file; of the file */
        house_open(&house);
        uint64_t epoch = state_of(&house).head.epoch;
        faulty_disk_fail_sync(n);
        append_much(&house, 130); /* enough to wake the tidier, not to move any here */
        assert_true(is_lost_soon(&house));
        faulty_disk_heal();
        assert_is_given_up(&house, epoch);
    }
}

static void a_sync_that_fails_under_the_writer_ends_the_log(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    uint64_t epoch = state_of(&house).head.epoch;
    durable_stop_tidier((struct durable_log *)house.log);
    faulty_disk_fail_sync(1);
    append_much(&house, 1000);
    assert_in_range(state_of(&house).head.seq, 1000, 5000);
    faulty_disk_heal();
    assert_is_given_up(&house, epoch);
}

static void a_sync_that_fails_in_a_commit_refuses_it_and_ends_the_log(void **state)
{
    struct event_log_entry entry = event_for("r:1", 11, 200);
    struct house house;
    uint64_t first;

    (void)state;
    house_open(&house);
    house.config.syncs = true;
    restart(&house, true);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    faulty_disk_fail_sync(1);
    assert_int_equal(event_log_append(house.log, &entry, 1, 5, &first), ST_LOG_DOWN);
    free(entry.bytes);
    faulty_disk_heal();
    assert_int_equal(state_of(&house).head.seq, 10);
    assert_is_given_up(&house, epoch);
}

static void a_sync_that_fails_at_the_end_ends_the_log(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    uint64_t epoch = state_of(&house).head.epoch;
    append(&house, "r:1", 30, 3, 5);
    faulty_disk_fail_sync(1);
    event_log_close(house.log);
    faulty_disk_heal();
    assert_is_given_up(&house, epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_succeeds_whatever_cannot_be_read),
        cmocka_unit_test(what_cannot_be_read_ends_the_log),
        cmocka_unit_test(a_log_that_is_given_up_gives_no_page),
        cmocka_unit_test(short_memory_passes_and_is_told_once),
        cmocka_unit_test(a_sync_that_fails_beside_the_writer_ends_the_log),
        cmocka_unit_test(a_sync_that_fails_under_the_writer_ends_the_log),
        cmocka_unit_test(a_sync_that_fails_in_a_commit_refuses_it_and_ends_the_log),
        cmocka_unit_test(a_sync_that_fails_at_the_end_ends_the_log),
    };

    install_memory();
    faulty_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

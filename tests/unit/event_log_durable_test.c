/* The durable log keeps what it said it kept, and never lies about the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/clock.h"
#include "bridge/event_log_durable.h"
#include "proto/envelope.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Below every level: what is wrong is wrong on purpose. */
static const struct logger quiet = {.level = (enum log_level) - 1, .role = "test"};

struct house {
    char folder[64];
    struct event_log_config config;
    struct event_log *log;
    const char *reason;
};

static enum status open_log(struct house *house)
{
    house->log = NULL;
    return event_log_open(&house->config, &house->log, &house->reason);
}

static void house_open(struct house *house)
{
    *house = (struct house){0};
    /* In memory where there is such a folder: these tests sync files by the hundred. */
    snprintf(house->folder, sizeof house->folder, "%s/durable_test.XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(house->folder));
    house->config = (struct event_log_config){
        .log = &quiet,
        .folder = house->folder,
        .key_age_ms = 300000,
        .keep = {1000000, 100000, 1 << 30},
    };
    assert_int_equal(open_log(house), ST_OK);
}

static void house_remove(struct house *house)
{
    char command[128];

    event_log_destroy(house->log);
    snprintf(command, sizeof command, "rm -rf '%s'", house->folder);
    assert_int_equal(system(command), 0);
}

/* An event for one room whose data is `n`. */
static struct event_log_entry event_for(const char *room, uint64_t n, size_t bytes)
{
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    struct buf data = {.max = LIMIT_ENVELOPE_BYTES};
    struct envelope_target target = {ROOM_NAMED, slice_of(room)};
    struct envelope envelope = {
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("e"),
        .event_json = SLICE("\"e\""),
        .targets = &target,
        .target_count = 1,
    };

    buf_add_byte(&data, '"');
    for (size_t i = 0; i < bytes; i++)
        buf_add_byte(&data, (char)('a' + (n + i) % 26));
    buf_add_byte(&data, '"');
    envelope.data = buf_slice(&data);
    envelope_encode(&envelope, &wire);
    assert_int_equal(buf_status(&wire), ST_OK);
    buf_finish(&data);
    struct event_log_entry entry = {.len = wire.len};
    entry.bytes = buf_release(&wire);
    return entry;
}

/* Appends `count` events in batches of `batch`. */
static void append(struct house *house, const char *room, size_t count, size_t batch,
                   uint64_t now_ms)
{
    struct event_log_entry entries[100];
    struct event_log_state state;
    uint64_t first;

    for (size_t at = 0; at < count; at += batch) {
        event_log_state(house->log, &state);
        for (size_t i = 0; i < batch; i++)
            entries[i] = event_for(room, state.head.seq + 1 + i, 200);
        assert_int_equal(event_log_append(house->log, entries, batch, now_ms, &first),
                         ST_OK);
        assert_int_equal(first, state.head.seq + 1);
    }
}

struct reading {
    struct house *house;
    const char *room; /* NULL: of any */
    uint64_t first, last, count;
};

static bool visit(void *ctx, uint64_t seq, struct slice envelope)
{
    struct reading *reading = ctx;
    static struct envelope_room room;
    struct envelope decoded;

    assert_true(seq > reading->last);
    assert_int_equal(envelope_decode(envelope, &room, &decoded), ST_OK);
    if (reading->room && !slice_is(decoded.targets[0].name, reading->room))
        return true;
    assert_int_equal(decoded.data.ptr[1], 'a' + seq % 26); /* these bytes, no others */
    reading->first = reading->first ? reading->first : seq;
    reading->last = seq;
    reading->count++;
    return true;
}

static struct reading read_all(struct house *house, uint64_t after,
                               const struct room_wishes *wishes, const char *room)
{
    struct reading reading = {.house = house, .room = room};
    struct event_log_state state;
    uint64_t through = after, before;

    do {
        before = through;
        event_log_read(house->log, before, UINT64_MAX, wishes, visit, &reading, &state,
                       &through);
    } while (through < state.head.seq && through > before && !state.is_lost);
    return reading;
}

static struct event_log_state state_of(struct house *house)
{
    struct event_log_state state;

    event_log_state(house->log, &state);
    return state;
}

/* As after the death of the process, or after a clean stop. */
static void restart(struct house *house, bool is_clean)
{
    if (is_clean)
        event_log_close(house->log);
    event_log_destroy(house->log);
    assert_int_equal(open_log(house), ST_OK);
}

static void what_was_kept_is_there_after_a_restart(void **state)
{
    (void)state;
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct house house;
        house_open(&house);
        append(&house, "r:1", 1000, 10, 5);
        uint64_t epoch = state_of(&house).head.epoch;
        restart(&house, is_clean);
        assert_int_equal(state_of(&house).head.epoch, epoch);
        assert_int_equal(state_of(&house).head.seq, 1000);
        struct reading reading = read_all(&house, 0, NULL, NULL);
        assert_int_equal(reading.first, 1);
        assert_int_equal(reading.count, 1000);
        append(&house, "r:1", 10, 10, 6);
        assert_int_equal(read_all(&house, 990, NULL, NULL).count, 20);
        house_remove(&house);
    }
}

static void a_volatile_event_takes_a_seq_that_is_never_given_again(void **state)
{
    struct house house;
    struct event_log_entry entries[3];
    uint64_t first;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 3, 1, 5);
    for (int i = 0; i < 3; i++) {
        entries[i] = event_for("r:1", 0, 10);
        entries[i].is_volatile = true;
    }
    assert_int_equal(event_log_append(house.log, entries, 3, 5, &first), ST_OK);
    for (int i = 0; i < 3; i++)
        free(entries[i].bytes);
    assert_int_equal(first, 4);
    restart(&house, false);
    assert_int_equal(state_of(&house).head.seq, 6);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 3);
    append(&house, "r:1", 1, 1, 5);
    assert_int_equal(read_all(&house, 3, NULL, NULL).first, 7);
    house_remove(&house);
}

static void retention_keeps_the_head_and_tells_the_floor(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    house.log->keep.age_ms = 1000;
    append(&house, "r:1", 100, 10, 1000);
    while (event_log_trim(house.log, 10000))
        ;
    assert_int_equal(state_of(&house).events, 0);
    assert_int_equal(state_of(&house).floor, 100);
    assert_int_equal(state_of(&house).evicted, 100);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 0);
    restart(&house, false);
    assert_int_equal(state_of(&house).head.seq, 100);
    assert_true(state_of(&house).floor >= 99);
    append(&house, "r:1", 5, 5, 11000);
    assert_int_equal(read_all(&house, 100, NULL, NULL).count, 5);
    house_remove(&house);
}

static void each_ceiling_removes_the_oldest(void **state)
{
    static const struct event_log_limits keeps[] = {
        {1000000, 500,    1 << 30},
        {1000000, 100000, 150000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof keeps / sizeof *keeps; i++) {
        struct house house;
        house_open(&house);
        house.log->keep = keeps[i];
        append(&house, "r:1", 2000, 100, 1000);
        uint64_t bytes = state_of(&house).bytes / 2000;
        while (event_log_trim(house.log, 2000))
            ;
        struct event_log_state now = state_of(&house);
        assert_true(now.events <= keeps[i].events && now.bytes <= keeps[i].bytes);
        assert_true(now.events == keeps[i].events || now.bytes + bytes > keeps[i].bytes);
        assert_int_equal(now.floor, 2000 - now.events);
        assert_int_equal(read_all(&house, now.floor, NULL, NULL).count, now.events);
        house_remove(&house);
    }
}

static void a_replay_of_a_room_reads_that_room(void **state)
{
    struct house house;
    const struct room_key key = {SLICE("/"), ROOM_NAMED, SLICE("r:2")};

    (void)state;
    house_open(&house);
    for (int i = 0; i < 20; i++) {
        append(&house, "r:1", 90, 90, 1000);
        append(&house, "r:2", 10, 10, 1000);
    }
    for (int restarts = 0; restarts < 2; restarts++) {
        uint64_t hash = event_log_room_hash(house.log, &key);
        const struct room_wishes wishes = {&hash, 1};
        struct reading reading = read_all(&house, 95, &wishes, "r:2");
        assert_int_equal(reading.first, 96);
        assert_int_equal(reading.count, 195);
        restart(&house, false);
    }
    house_remove(&house);
}

static void marks_are_a_rooms_own(void **state)
{
    struct house house;
    const struct room_key busy = {SLICE("/"), ROOM_NAMED, SLICE("busy")};
    const struct room_key calm = {SLICE("/"), ROOM_NAMED, SLICE("calm")};
    uint64_t marks[2];

    (void)state;
    house_open(&house);
    house.log->keep.events = 100;
    append(&house, "calm", 1, 1, 1000);
    append(&house, "busy", 1000, 100, 1000);
    while (event_log_trim(house.log, 2000))
        ;
    const uint64_t hashes[] = {event_log_room_hash(house.log, &busy),
                               event_log_room_hash(house.log, &calm)};
    event_log_marks(house.log, hashes, 2, marks);
    assert_int_equal(marks[0], 901);
    assert_int_equal(marks[1], 1);
    house_remove(&house);
}

/* --- what goes wrong --- */

static void a_second_log_in_the_folder_is_refused(void **state)
{
    struct house house;
    struct event_log *second = NULL;
    const char *reason;

    (void)state;
    house_open(&house);
    assert_int_equal(event_log_open(&house.config, &second, &reason), ST_CONFLICT);
    assert_string_equal(reason, "another publisher already uses this data_dir");
    assert_null(second);
    house_remove(&house);
}

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

static void who_saw_more_than_the_log_has_gets_a_new_epoch(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    event_log_overtaken(house.log);
    event_log_trim(house.log, 5);
    assert_int_not_equal(state_of(&house).head.epoch, epoch);
    append(&house, "r:1", 3, 1, 5);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 3);
    restart(&house, false);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 3);
    house_remove(&house);
}

static void on_key(void *ctx, const struct log_key *key, const struct position *position,
                   uint64_t age_ms)
{
    uint64_t *sum = ctx;

    assert_int_equal(key->recipients, position->seq);
    assert_true(key->has_recipients && !key->complete);
    (void)age_ms;
    *sum += position->seq * key->id[0];
}

static void keys_are_kept_with_their_events(void **state)
{
    struct house house;
    uint64_t first, sum = 0;

    (void)state;
    house_open(&house);
    for (unsigned i = 1; i <= 4; i++) {
        const struct log_key key = {
            .id = {(unsigned char)(i * 10)}, .recipients = i, .has_recipients = true};
        struct event_log_entry entry = event_for("r:1", i, 10);
        entry.key = &key;
        assert_int_equal(event_log_append(house.log, &entry, 1, 1000, &first), ST_OK);
    }
    restart(&house, false);
    event_log_keys(house.log, on_key, &sum);
    assert_int_equal(sum, 10 + 2 * 20 + 3 * 30 + 4 * 40);
    house_remove(&house);
}

/* What a start takes: five times the figure, 300 ms, as everywhere. */
static void a_log_of_64_mib_is_open_in_time(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 200000, 100, 1000);
    assert_true(state_of(&house).bytes > 50 << 20);
    event_log_destroy(house.log);
    uint64_t began_ms = clock_ms();
    assert_int_equal(open_log(&house), ST_OK);
    uint64_t took_ms = clock_ms() - began_ms;
    print_message("%llu events in %llu ms\n", (unsigned long long)state_of(&house).events,
                  (unsigned long long)took_ms);
    assert_int_equal(state_of(&house).events, 200000);
    assert_true(took_ms < 5 * 300);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_there_after_a_restart),
        cmocka_unit_test(a_volatile_event_takes_a_seq_that_is_never_given_again),
        cmocka_unit_test(retention_keeps_the_head_and_tells_the_floor),
        cmocka_unit_test(each_ceiling_removes_the_oldest),
        cmocka_unit_test(a_replay_of_a_room_reads_that_room),
        cmocka_unit_test(marks_are_a_rooms_own),
        cmocka_unit_test(a_second_log_in_the_folder_is_refused),
        cmocka_unit_test(no_flipped_bit_is_taken_for_an_event),
        cmocka_unit_test(no_cut_file_is_taken_for_the_whole_log),
        cmocka_unit_test(a_lost_end_begins_a_new_epoch),
        cmocka_unit_test(a_full_disk_refuses_and_heals),
        cmocka_unit_test(who_saw_more_than_the_log_has_gets_a_new_epoch),
        cmocka_unit_test(keys_are_kept_with_their_events),
        cmocka_unit_test(a_log_of_64_mib_is_open_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

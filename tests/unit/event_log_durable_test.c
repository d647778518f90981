/* The durable log keeps what it said it kept, and tells what it removed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/durable_house.h"

#include <sqlite3.h>
#include <time.h>

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
    assert_int_equal(state_of(&house).floor, 100);
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
        /* The oldest go by rows of some 8 kB. */
        assert_true(now.events + 40 > keeps[i].events ||
                    now.bytes + 40 * bytes > keeps[i].bytes);
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
    struct position head;

    (void)state;
    house_open(&house);
    house.log->keep.events = 100;
    append(&house, "calm", 1, 1, 1000);
    append(&house, "busy", 1000, 100, 1000);
    while (event_log_trim(house.log, 2000))
        ;
    const uint64_t hashes[] = {event_log_room_hash(house.log, &busy),
                               event_log_room_hash(house.log, &calm)};
    event_log_marks(house.log, hashes, 2, marks, &head);
    assert_int_equal(marks[0], 901);
    assert_int_equal(marks[1], 1);
    house_remove(&house);
}

static uint64_t mark_of(struct house *house, const char *room)
{
    const struct room_key key = {SLICE("/"), ROOM_NAMED, slice_of(room)};
    uint64_t hash = event_log_room_hash(house->log, &key);
    struct position head;
    uint64_t mark;

    event_log_marks(house->log, &hash, 1, &mark, &head);
    return mark;
}

static void trim_all(struct house *house, uint64_t now_ms)
{
    while (event_log_trim(house->log, now_ms))
        ;
}

static void marks_outlive_the_process(void **state)
{
    (void)state;
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct house house;
        house_open(&house);
        house.config.keep.events = house.log->keep.events = 100;
        append(&house, "calm", 1, 1, 1000);
        append(&house, "busy", 1000, 20, 1000);
        trim_all(&house, 2000);
        append(&house, "busy", 100, 20, 3000);
        trim_all(&house, 3000); /* too soon to be noted, unless the stop is clean */
        uint64_t busy = mark_of(&house, "busy");
        restart(&house, is_clean);
        assert_int_equal(mark_of(&house, "calm"), 1);
        assert_int_equal(mark_of(&house, "nobody"), 0);
        if (is_clean)
            assert_int_equal(mark_of(&house, "busy"), busy);
        trim_all(&house, 9000);
        assert_int_equal(mark_of(&house, "busy"), busy);
        assert_int_equal(mark_of(&house, "calm"), 1);
        restart(&house, false);
        assert_int_equal(mark_of(&house, "calm"), 1);
        assert_int_equal(mark_of(&house, "busy"), busy);
        house_remove(&house);
    }
}

static void what_was_removed_long_ago_has_one_mark(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    house.log->keep.events = 10;
    append(&house, "first", 100, 20, 1000);
    trim_all(&house, 1000);
    uint64_t first = mark_of(&house, "first");
    append(&house, "second", 100, 20, 200000);
    trim_all(&house, 200000);
    assert_int_equal(mark_of(&house, "nobody"), 0);
    append(&house, "third", 100, 20, 260000);
    trim_all(&house, 260000);
    assert_int_equal(mark_of(&house, "nobody"), first);
    assert_true(mark_of(&house, "second") > first);
    restart(&house, false);
    assert_int_equal(mark_of(&house, "nobody"), first);
    house_remove(&house);
}

/* --- volatile events --- */

static void append_volatile(struct house *house, size_t commits, uint64_t now_ms)
{
    struct event_log_entry entry = event_for("r:1", 0, 10);
    uint64_t first;

    entry.is_volatile = true;
    for (size_t i = 0; i < commits; i++)
        assert_int_equal(event_log_append(house->log, &entry, 1, now_ms, &first), ST_OK);
    free(entry.bytes);
}

static bool count_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    size_t *count = ctx;

    (void)row;
    (void)sum;
    ++*count;
    return true;
}

static size_t rows_of(struct house *house)
{
    struct durable_log *log = (struct durable_log *)house->log;
    size_t count = 0;

    assert_int_equal(log_db_read(log->writer, 0, UINT64_MAX, count_row, &count), ST_OK);
    return count;
}

static void volatile_events_take_no_place_in_the_log(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    for (uint64_t head = 0; head < 10000; head += 2500) {
        append_volatile(&house, 2499, 1000);
        assert_int_equal(rows_of(&house), head / 2500);
        restart(&house, head % 5000 == 0);
        assert_int_equal(state_of(&house).head.seq, head + 2499);
        append(&house, "r:1", 1, 1, 1000);
        restart(&house, head % 5000 == 0);
        assert_int_equal(state_of(&house).head.seq, head + 2500);
    }
    assert_int_equal(rows_of(&house), 4);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 4);
    house_remove(&house);
}

static void who_stands_among_volatile_events_finds_what_follows(void **state)
{
    const struct room_key key = {SLICE("/"), ROOM_NAMED, SLICE("r:1")};

    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct house house;
        house_open(&house);
        uint64_t hash = event_log_room_hash(house.log, &key);
        const struct room_wishes wishes = {&hash, 1};
        append(&house, "r:1", 5, 1, 1000);
        append_volatile(&house, 10, 1000);
        assert_int_equal(read_all(&house, 9, NULL, NULL).count, 0);
        append_volatile(&house, 5, 1000);
        append(&house, "r:1", 5, 5, 1000);
        append_volatile(&house, 5, 1000);
        if (restarts)
            restart(&house, false);
        for (uint64_t after = 5; after < 20; after++) {
            assert_int_equal(read_all(&house, after, NULL, NULL).first, 21);
            assert_int_equal(read_all(&house, after, NULL, NULL).count, 5);
            assert_int_equal(read_all(&house, after, &wishes, "r:1").count, 5);
        }
        assert_int_equal(read_all(&house, 27, NULL, NULL).count, 0);
        assert_false(state_of(&house).is_lost);
        house_remove(&house);
    }
}

static void volatile_events_go_on_where_everything_is_removed(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    house.config.keep.age_ms = house.log->keep.age_ms = 1000;
    append(&house, "r:1", 10, 1, 1000);
    append_volatile(&house, 10, 1000);
    trim_all(&house, 10000);
    append_volatile(&house, 10, 10000);
    trim_all(&house, 13000);
    assert_int_equal(rows_of(&house), 0);
    for (int restarts = 0; restarts < 3; restarts++) {
        assert_int_equal(state_of(&house).head.seq, 30 + restarts * 10);
        assert_int_equal(state_of(&house).floor, 10);
        append_volatile(&house, 10, 14000);
        restart(&house, restarts > 0);
    }
    append(&house, "r:1", 1, 1, 14000);
    restart(&house, false);
    assert_int_equal(read_all(&house, 10, NULL, NULL).first, 61);
    house_remove(&house);
}

/* In a row, how far an event is from its beginning has 32 bits. */
static void an_event_after_any_number_of_volatile_ones_is_kept(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 1, 1, 1000);
    for (uint64_t head = 1u << 29; head < UINT64_C(10) << 30; head += 1u << 29) {
        house.log->state.head.seq = head;
        append_volatile(&house, 1, 1000);
    }
    assert_in_range(rows_of(&house), 2, 10);
    append(&house, "r:1", 1, 1, 1000);
    uint64_t head = state_of(&house).head.seq;
    restart(&house, false);
    assert_int_equal(state_of(&house).head.seq, head);
    assert_int_equal(read_all(&house, 1, NULL, NULL).first, head);
    house_remove(&house);
}

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

/* As on a network: its files cannot be mapped for several connections. */
static void a_file_system_that_cannot_share_memory_is_refused(void **state)
{
    struct house house;
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    char path[LOG_PATH_BYTES];

    (void)state;
    house_open(&house);
    event_log_destroy(house.log);
    log_folder_path(house.folder, "log.db", path);
    assert_int_equal(unlink(path), 0);
    sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1);
    enum status st = open_log(&house);
    sqlite3_vfs_register(usual, 1);
    assert_int_equal(st, ST_LOG_DOWN);
    assert_non_null(strstr(house.reason, "a network's"));
    house_remove(&house);
}

static void who_saw_more_than_the_log_has_gets_a_new_epoch(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    event_log_overtaken(house.log, epoch);
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

static uint64_t cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What a start takes of a processor that others use as well: five times the figure,
 * 300 ms, as everywhere. */
static void a_log_of_64_mib_is_open_in_time(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 200000, 100, 1000);
    assert_true(state_of(&house).bytes > 50 << 20);
    event_log_destroy(house.log);
    uint64_t began_ms = cpu_ms();
    assert_int_equal(open_log(&house), ST_OK);
    uint64_t took_ms = cpu_ms() - began_ms;
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
        cmocka_unit_test(marks_outlive_the_process),
        cmocka_unit_test(what_was_removed_long_ago_has_one_mark),
        cmocka_unit_test(volatile_events_take_no_place_in_the_log),
        cmocka_unit_test(who_stands_among_volatile_events_finds_what_follows),
        cmocka_unit_test(volatile_events_go_on_where_everything_is_removed),
        cmocka_unit_test(an_event_after_any_number_of_volatile_ones_is_kept),
        cmocka_unit_test(a_second_log_in_the_folder_is_refused),
        cmocka_unit_test(a_file_system_that_cannot_share_memory_is_refused),
        cmocka_unit_test(who_saw_more_than_the_log_has_gets_a_new_epoch),
        cmocka_unit_test(keys_are_kept_with_their_events),
        cmocka_unit_test(a_log_of_64_mib_is_open_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

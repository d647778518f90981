/*
 * A durable log that begins a new epoch while somebody reads the old one: what is read
 * says so. Nothing is found damaged that is only over, and nothing counts as complete
 * by what the new epoch knows.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/engine_nng_pages.h"
#include "support/durable_house.h"

#include <signal.h>
#include <sys/resource.h>

static void begin_anew(struct event_log *log)
{
    event_log_overtaken(log, log->state.head.epoch);
    event_log_trim(log, 100000);
}

/* The reader's moment is before the new epoch, all that it asks for after. */
static bool begin_read_and_lose(struct event_log *log, uint64_t epoch)
{
    bool is_begun = durable_begin_read(log, epoch);

    begin_anew(log);
    return is_begun;
}

/* Or the new epoch comes when everything is read. */
static void end_read_and_lose(struct event_log *log)
{
    durable_end_read(log);
    begin_anew(log);
}

static struct event_log_ops ops_that_lose(const struct event_log *log, bool is_at_begin)
{
    struct event_log_ops ops = *log->ops;

    if (is_at_begin)
        ops.begin_read = begin_read_and_lose;
    else
        ops.end_read = end_read_and_lose;
    return ops;
}

/* 1000 events of r:1, of which retention has removed the first, and deleted them. */
static void open_trimmed(struct house *house)
{
    house_open(house);
    house->log->keep.events = 100;
    append(house, "r:1", 1000, 20, 1000);
    for (uint64_t now_ms = 3000; now_ms < 9000; now_ms += 1000)
        while (event_log_trim(house->log, now_ms))
            ;
    assert_true(state_of(house).floor > 800);
}

static void what_is_over_is_not_damaged(void **state)
{
    const struct room_key key = {SLICE("/"), ROOM_NAMED, SLICE("r:1")};

    (void)state;
    for (int is_of_rooms = 0; is_of_rooms < 2; is_of_rooms++) {
        struct house house;
        struct event_log_state now;
        uint64_t through;
        open_trimmed(&house);
        const struct event_log_ops ops = ops_that_lose(house.log, true);
        uint64_t epoch = state_of(&house).head.epoch;
        uint64_t hash = event_log_room_hash(house.log, &key);
        const struct room_wishes wishes = {&hash, 1};
        struct reading reading = {.house = &house};
        house.log->ops = &ops;
        event_log_read(house.log, 10, UINT64_MAX, is_of_rooms ? &wishes : NULL, visit,
                       &reading, &now, &through);
        assert_false(state_of(&house).is_lost);
        assert_true(now.head.epoch != epoch);
        house_remove(&house);
    }
}

/* Asks for r:1 behind an event that is removed: what is missing must be told. */
static struct replay_page ask(struct house *house, uint64_t epoch)
{
    const struct room_key key = {SLICE("/"), ROOM_NAMED, SLICE("r:1")};
    struct page_server *server = page_server_create(house->log);
    struct replay_request head = {
        .after = {epoch, 10},
          .through = UINT64_MAX, .max_bytes = 1000, .room_count = 1
    };
    struct buf request = {.max = 1000};
    struct replay_page page;
    struct slice answer;

    replay_request_encode(&head, &request);
    replay_room_add(&request, &key);
    replay_base_add(&request, 10);
    assert_int_equal(page_server_answer(server, buf_slice(&request), &answer), ST_OK);
    assert_int_equal(replay_page_decode(answer, &page), ST_OK);
    page.items = (struct slice){0};
    page_server_destroy(server);
    buf_finish(&request);
    return page;
}

static void nothing_is_complete_by_marks_of_the_next_epoch(void **state)
{
    struct house house;

    (void)state;
    open_trimmed(&house);
    uint64_t epoch = state_of(&house).head.epoch;
    struct replay_page page = ask(&house, epoch);
    assert_int_equal(page.head.epoch, epoch);
    assert_true(page.floor > 10);
    const struct event_log_ops ops = ops_that_lose(house.log, false);
    house.log->ops = &ops;
    page = ask(&house, epoch);
    assert_true(page.head.epoch != epoch);
    house_remove(&house);
}

/* --- when somebody has seen more than the log has --- */

/* No file may grow. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static enum status append_one(struct house *house, uint64_t n)
{
    struct event_log_entry entry = event_for("r:1", n, 200);
    uint64_t first;
    enum status st = event_log_append(house->log, &entry, 1, 5, &first);

    if (st)
        free(entry.bytes);
    return st;
}

static void nothing_is_accepted_in_an_epoch_that_was_overtaken(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    event_log_overtaken(house.log, epoch);
    assert_int_equal(append_one(&house, 11), ST_LOG_DOWN);
    event_log_trim(house.log, 5);
    assert_int_not_equal(state_of(&house).head.epoch, epoch);
    assert_int_equal(append_one(&house, 1), ST_OK);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 1);
    house_remove(&house);
}

static void an_epoch_that_could_not_begin_is_tried_again(void **state)
{
    struct house house;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    house_open(&house);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    event_log_overtaken(house.log, epoch);
    limit_files(4096);
    for (uint64_t now_ms = 1000; now_ms < 2000; now_ms += 100) {
        event_log_trim(house.log, now_ms);
        assert_int_equal(append_one(&house, 11), ST_LOG_DOWN);
    }
    limit_files(RLIM_INFINITY);
    assert_true(state_of(&house).is_down);
    assert_int_equal(state_of(&house).head.epoch, epoch);
    event_log_trim(house.log, 3000);
    assert_false(state_of(&house).is_down);
    assert_int_not_equal(state_of(&house).head.epoch, epoch);
    append(&house, "r:1", 10, 1, 3000);
    restart(&house, false);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 10);
    house_remove(&house);
}

/* Several gateways have seen more, and say so one after the other. */
static void an_epoch_is_overtaken_once(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    append(&house, "r:1", 10, 1, 5);
    uint64_t epoch = state_of(&house).head.epoch;
    begin_anew(house.log);
    uint64_t next = state_of(&house).head.epoch;
    append(&house, "r:1", 10, 1, 100000);
    event_log_overtaken(house.log, epoch);
    append(&house, "r:1", 10, 1, 100000);
    event_log_trim(house.log, 100000);
    assert_int_equal(state_of(&house).head.epoch, next);
    assert_int_equal(read_all(&house, 0, NULL, NULL).count, 20);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_over_is_not_damaged),
        cmocka_unit_test(nothing_is_complete_by_marks_of_the_next_epoch),
        cmocka_unit_test(nothing_is_accepted_in_an_epoch_that_was_overtaken),
        cmocka_unit_test(an_epoch_that_could_not_begin_is_tried_again),
        cmocka_unit_test(an_epoch_is_overtaken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a gateway has applied lately: complete after some seq, or it says that it is not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/engine_nng_recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EPOCH = 7,
    BEGUN = 100,
    ALL_BYTES = 1 << 20,
};

struct rig {
    struct recent *recent;
    char got[400]; /* seqs, each followed by a comma */
};

static int open_rig(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    const struct position begun = {EPOCH, BEGUN};

    rig->recent = recent_create();
    recent_begin(rig->recent, &begun);
    *state = rig;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *rig = *state;

    recent_destroy(rig->recent);
    free(rig);
    return 0;
}

static void add(struct rig *rig, uint64_t seq, const char *room, bool is_volatile)
{
    struct envelope_target target = {ROOM_NAMED, slice_of(room)};
    struct envelope envelope = {.kind = ENVELOPE_EVENT,
                                .flags = is_volatile ? ENVELOPE_VOLATILE : 0,
                                .id = SLICE("e"),
                                .nsp = SLICE("/"),
                                .event = SLICE("x"),
                                .event_json = SLICE("\"x\""),
                                .targets = &target,
                                .target_count = 1};
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};

    envelope_encode(&envelope, &wire);
    struct engine_event event = {
        .position = {EPOCH, seq},
          .envelope = buf_slice(&wire)
    };
    recent_add(rig->recent, &event);
    buf_finish(&wire);
}

static bool has(const struct rig *rig, uint64_t seq)
{
    const struct position after = {EPOCH, seq};

    return recent_has(rig->recent, &after);
}

static void on_event(void *ctx, const struct engine_event *event)
{
    struct rig *rig = ctx;
    size_t len = strlen(rig->got);

    assert_int_equal(event->position.epoch, EPOCH);
    snprintf(rig->got + len, sizeof rig->got - len, "%llu,",
             (unsigned long long)event->position.seq);
}

/* Of rooms "a", after its base, and "b". Gives up to where they are complete. */
static uint64_t read_rooms(struct rig *rig, uint64_t after, uint64_t through,
                           uint64_t base_a, uint32_t max_bytes)
{
    const struct room_key a = {SLICE("/"), ROOM_NAMED, SLICE("a")};
    const struct room_key b = {SLICE("/"), ROOM_NAMED, SLICE("b")};
    struct buf rooms = {.max = 1000};
    uint64_t complete = 0;

    replay_room_add(&rooms, &a);
    replay_base_add(&rooms, base_a);
    replay_room_add(&rooms, &b);
    replay_base_add(&rooms, 0);
    const struct replay_request wanted = {
        .after = {EPOCH, after},
        .through = through,
        .max_bytes = max_bytes,
        .room_count = 2,
        .rooms = buf_slice(&rooms),
    };
    rig->got[0] = '\0';
    assert_int_equal(recent_read(rig->recent, &wanted, on_event, rig, &complete), ST_OK);
    buf_finish(&rooms);
    return complete;
}

static void events_of_the_rooms_are_given_in_order_after_their_bases(void **state)
{
    struct rig *rig = *state;

    add(rig, 101, "a", false);
    add(rig, 102, "b", false);
    add(rig, 103, "c", false);
    add(rig, 104, "a", false);
    assert_int_equal(read_rooms(rig, 100, UINT64_MAX, 0, ALL_BYTES), 104);
    assert_string_equal(rig->got, "101,102,104,");
    assert_int_equal(read_rooms(rig, 100, UINT64_MAX, 101, ALL_BYTES), 104);
    assert_string_equal(rig->got, "102,104,");
    assert_int_equal(read_rooms(rig, 101, 103, 0, ALL_BYTES), 103);
    assert_string_equal(rig->got, "102,");
}

static void a_page_ends_before_it_is_too_large_and_has_one_event(void **state)
{
    struct rig *rig = *state;

    for (uint64_t seq = 101; seq <= 103; seq++)
        add(rig, seq, "a", false);
    assert_int_equal(read_rooms(rig, 100, UINT64_MAX, 0, 1), 101);
    assert_string_equal(rig->got, "101,");
    assert_int_equal(read_rooms(rig, 101, UINT64_MAX, 0, 1), 102);
    assert_string_equal(rig->got, "102,");
    assert_int_equal(read_rooms(rig, 102, UINT64_MAX, 0, 1), 103);
}

static void seqs_of_volatile_events_are_passed_over(void **state)
{
    struct rig *rig = *state;

    add(rig, 101, "a", true);
    add(rig, 104, "a", false); /* two were gone when a replay came */
    recent_pass(rig->recent, 110);
    assert_true(has(rig, 100));
    assert_true(has(rig, 110));
    assert_int_equal(read_rooms(rig, 100, UINT64_MAX, 0, ALL_BYTES), 110);
    assert_string_equal(rig->got, "104,");
}

static void what_it_does_not_have_it_says(void **state)
{
    struct rig *rig = *state;
    const struct position other = {EPOCH + 1, BEGUN};

    assert_true(has(rig, BEGUN));
    assert_false(has(rig, BEGUN - 1));
    assert_false(has(rig, BEGUN + 1));
    assert_false(recent_has(rig->recent, &other));
    assert_false(recent_has(NULL, &other));
    recent_begin(rig->recent, &other);
    assert_true(recent_has(rig->recent, &other));
    assert_false(has(rig, BEGUN));
}

static void the_oldest_go_when_there_are_many(void **state)
{
    struct rig *rig = *state;

    for (uint64_t i = 1; i <= RECENT_EVENTS + 10; i++)
        add(rig, BEGUN + i, "a", false);
    assert_false(has(rig, BEGUN + 9));
    assert_true(has(rig, BEGUN + 10));
    assert_int_equal(read_rooms(rig, BEGUN + RECENT_EVENTS + 8, UINT64_MAX, 0, ALL_BYTES),
                     BEGUN + RECENT_EVENTS + 10);
    assert_string_equal(rig->got, "8301,8302,");
}

static void a_long_jump_begins_anew(void **state)
{
    struct rig *rig = *state;

    add(rig, 101, "a", false);
    add(rig, 1000000, "a", false);
    assert_false(has(rig, 101));
    assert_true(has(rig, 999999));
    assert_int_equal(read_rooms(rig, 999999, UINT64_MAX, 0, ALL_BYTES), 1000000);
    assert_string_equal(rig->got, "1000000,");
    add(rig, 999998, "a", false); /* an old one changes nothing */
    assert_true(has(rig, 1000000));
}

#define RECENT_TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECENT_TEST(events_of_the_rooms_are_given_in_order_after_their_bases),
        RECENT_TEST(a_page_ends_before_it_is_too_large_and_has_one_event),
        RECENT_TEST(seqs_of_volatile_events_are_passed_over),
        RECENT_TEST(what_it_does_not_have_it_says),
        RECENT_TEST(the_oldest_go_when_there_are_many),
        RECENT_TEST(a_long_jump_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

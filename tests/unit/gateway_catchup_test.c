/* Catch-up by time in a whole gateway, where the log answers when the test says so: the
 * order of what a client hears, and all that may happen while the log is asked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/gateway_return.h"
#include "support/system_house.h"

static const char yaml[] = "catchup: {from: '{auth.since}', per_room: 7, ttl: 1h}\n"
                           "connect: {auto_join: ['p:1']}\n"
                           "namespaces: {/: {recovery: on}}\n"
                           "rooms: [{match: 'h:*', allow: any, history: {size: 3, "
                           "on_join: on}}, {match: '*:1', allow: any, history: {size: "
                           "4}}]\n";

static int open_system(void **state)
{
    int failed = open_house_by(state, &house_settings, &house_limits, system_of(yaml));

    ((struct house *)*state)->engine.keeps_log = true;
    return failed;
}

/* An event with a history, called by its number. */
static void tell(struct house *house, const char *room, const char *data)
{
    struct envelope_target target = {ROOM_NAMED, slice_of(room)};
    const struct envelope envelope = {.flags = ENVELOPE_HISTORY,
                                      .at_ms = clock_wall_ms(),
                                      .id = SLICE("e"),
                                      .nsp = SLICE("/"),
                                      .event = SLICE("n"),
                                      .event_json = SLICE("\"n\""),
                                      .data = slice_of(data),
                                      .targets = &target,
                                      .target_count = 1};

    fake_engine_emit(&house->engine, &envelope, false);
}

/* One that asks, and whom the log has not been answered for. */
static struct ws_peer *come(struct house *house, const char *since)
{
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char connect[2048];

    assert_int_equal(peer_upgrade(peer, "/ws", ""), 101);
    snprintf(connect, sizeof connect,
             "{\"t\":\"connect\",\"token\":\"%s\",\"data\":{\"since\":%s}}", token,
             since);
    peer_send(peer, 1, connect);
    free(token);
    for (int i = 0; i < 1000 && !house->engine.past.on_past; i++)
        peer_turn(peer);
    assert_non_null(house->engine.past.on_past);
    return peer;
}

static void reads(struct house *house, struct ws_peer *peer, const char *part)
{
    const char *got = READ(house, peer);

    if (!strstr(got, part))
        fail_msg("no %s in %s", part, got);
}

static void is_counted(const struct house *house, enum metric metric, uint64_t n)
{
    struct metrics_snapshot snapshot;

    metrics_snapshot(&house->metrics, &snapshot);
    assert_int_equal(snapshot.values[metric], n);
}

static void the_past_comes_first_then_what_came_meanwhile(void **state)
{
    struct house *house = *state;

    tell(house, "p:1", "1");
    tell(house, "p:1", "2");
    struct ws_peer *peer = come(house, "5");
    tell(house, "p:1", "3");
    assert_int_equal(house->engine.last_pid, 0); /* nobody can come back to it */
    fake_engine_answer(&house->engine, ST_OK, 1);
    tell(house, "p:1", "4");
    reads(house, peer, "\"t\":\"connected\"");
    reads(house, peer, "\"data\":2,");
    reads(house, peer, "\"data\":3,");
    reads(house, peer, "\"data\":4,");
    assert_int_equal(house->engine.last_pid, LIMIT_PID_BYTES);
    is_counted(house, METRIC_CATCHUPS, 1);
    is_counted(house, METRIC_CATCHUPS_CUT, 0);
    is_counted(house, METRIC_CATCHUP_EVENTS, 1); /* the others came while it connected */
    is_counted(house, METRIC_MISSED_EVENTS, 0);  /* it did not come back */
    is_counted(house, METRIC_DISCARDED_CLOSED, 0);
    peer_destroy(peer);
}

/* p:1 has a smaller history than a catch-up may have; a user's own has none of its own.
 */
static void what_is_asked_is_within_the_bounds_of_the_file(void **state)
{
    struct house *house = *state;
    int64_t hour_ago = clock_wall_ms() - 3600000;
    struct ws_peer *peer = come(house, "5");
    const struct engine_past_room *rooms = house->engine.past_rooms;

    assert_int_equal(house->engine.past.rooms, 3);
    for (size_t i = 0; i < 3; i++) {
        bool is_named = rooms[i].key.kind == ROOM_NAMED;
        assert_int_equal(rooms[i].max, is_named ? 4 : 7);
        assert_int_equal(rooms[i].asked_ms, 5000);
        assert_true(rooms[i].since_ms >= hour_ago); /* the file's hour, at most */
    }
    fake_engine_answer(&house->engine, ST_OK, 0);
    reads(house, peer, "\"t\":\"connected\"");
    peer_destroy(peer);
}

static void where_the_log_cannot_tell_everything_counts_as_missing(void **state)
{
    struct house *house = *state;

    tell(house, "p:1", "1");
    struct ws_peer *peer = come(house, "5");
    tell(house, "p:1", "2");
    fake_engine_answer(&house->engine, ST_UNAVAILABLE, 0);
    reads(house, peer, "\"t\":\"connected\"");
    reads(house, peer, "\"data\":2,");
    reads(house, peer,
          "{\"count\":0,\"truncated\":true,\"rooms\":[\"*\",\"user:ada\",\"p:1\"]}");
    is_counted(house, METRIC_CATCHUPS, 1);
    is_counted(house, METRIC_CATCHUPS_CUT, 1);
    is_counted(house, METRIC_CATCHUP_EVENTS, 0);
    peer_destroy(peer);
}

/* The numbers of the new log are lower: they are not taken for those of the old one. */
static void a_log_that_begins_anew_meanwhile_is_read_from_its_beginning(void **state)
{
    struct house *house = *state;
    struct position now = {8, 0};

    tell(house, "p:1", "1");
    struct ws_peer *peer = come(house, "5");
    tell(house, "p:1", "2");
    house->engine.head = now;
    house->engine.listener->on_reset(house->engine.ctx, "epoch_changed", &now);
    fake_engine_finish(&house->engine);
    house->engine.log_count = 0;
    tell(house, "p:1", "3");
    fake_engine_answer(&house->engine, ST_OK, 1);
    reads(house, peer, "\"t\":\"connected\"");
    reads(house, peer, "\"data\":3,");
    reads(house, peer, "\"truncated\":true");
    peer_destroy(peer);
}

static void who_leaves_meanwhile_is_not_answered(void **state)
{
    struct house *house = *state;
    struct ws_peer *peer = come(house, "5");

    peer_destroy(peer);
    for (int i = 0; i < 1000 && house->engine.drops + house->engine.parks == 0; i++)
        uv_run(&house->loop, UV_RUN_NOWAIT), usleep(1000);
    assert_int_equal(house->engine.parks, 0); /* there is nothing to come back to */
    assert_int_equal(house->engine.drops, 1);
    fake_engine_answer(&house->engine, ST_OK, 1);
}

/* Two rooms at once: the histories follow their acks one after the other, what is live
 * waits, and what the client has through another room is not given twice. */
static void histories_follow_the_ack_one_by_one(void **state)
{
    struct house *house = *state;

    tell(house, "h:1", "1");
    struct ws_peer *peer = join_native(house, "ada", "[]");
    for (int i = 0; i < 1000 && !house->engine.past.on_past; i++)
        peer_turn(peer);
    assert_null(house->engine.past.on_past); /* p:1 gives nothing without asking */
    peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"h:1\",\"n\":1}");
    peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"h:2\",\"n\":2}");
    reads(house, peer, "\"n\":1");
    reads(house, peer, "\"n\":2");
    assert_non_null(house->engine.past.on_past);
    assert_int_equal(house->engine.past.rooms, 1);
    assert_int_equal(house->engine.past_rooms[0].max, 3);
    tell(house, "p:1", "2");
    fake_engine_answer(&house->engine, ST_OK, 1);
    reads(house, peer, "\"data\":1,");
    reads(house, peer, "\"data\":2,");
    for (int i = 0; i < 1000 && !house->engine.past.on_past; i++)
        peer_turn(peer);
    fake_engine_answer(&house->engine, ST_UNAVAILABLE, 1);
    tell(house, "h:2", "3");
    reads(house, peer, "\"data\":3,");
    is_counted(house, METRIC_CATCHUPS, 0);
    is_counted(house, METRIC_CATCHUPS_JOIN, 2);
    is_counted(house, METRIC_CATCHUPS_CUT_JOIN, 1); /* of which the log told nothing */
    is_counted(house, METRIC_CATCHUP_EVENTS, 1);
    is_counted(house, METRIC_DELIVERIES, 2);
    is_counted(house, METRIC_MISSED_EVENTS, 0);
    is_counted(house, METRIC_DISCARDED_CLOSED, 0); /* what waited has been read again */
    peer_destroy(peer);
}

/* How often the log is asked until the gateway has nothing more to ask. */
static unsigned answers_all(struct house *house, struct ws_peer *peer)
{
    unsigned asked = 0;

    peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"p:1\",\"n\":9}");
    reads(house, peer, "\"n\":9"); /* it has read all that was sent */
    for (int i = 0; i < 200; i++) {
        peer_wait(peer, 1);
        if (!house->engine.past.on_past)
            continue;
        asked++;
        fake_engine_answer(&house->engine, ST_UNAVAILABLE, 0);
    }
    return asked;
}

static void a_room_waits_once_however_often_it_is_joined(void **state)
{
    struct house *house = *state;
    struct ws_peer *peer = join_native(house, "ada", "[]");

    for (int i = 0; i < 40; i++) {
        peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"h:1\"}");
        peer_wait(peer, 1);
        peer_send(peer, 1, "{\"t\":\"unsubscribe\",\"room\":\"h:1\"}");
    }
    peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"h:1\"}");
    assert_in_range(answers_all(house, peer), 1, 2);
    peer_destroy(peer);
}

/* A history ends when its room is left; who joins again is in it from then on. */
static void a_room_that_is_joined_again_does_not_bring_its_first_history(void **state)
{
    struct house *house = *state;

    tell(house, "h:1", "1");
    tell(house, "h:1", "2");
    struct ws_peer *peer = join_native(house, "ada", "[]");
    peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"h:1\",\"n\":1}");
    reads(house, peer, "\"n\":1");
    house->engine.holds_replay = true;
    fake_engine_answer(&house->engine, ST_OK, 2);
    wait_for_replay(house, peer);
    assert_int_equal(house->engine.replay_base, 40);
    const struct engine_replay late = house->engine.replay;

    house->engine.replay.on_done = NULL;
    peer_send(peer, 1, "{\"t\":\"unsubscribe\",\"room\":\"h:1\",\"n\":2}");
    reads(house, peer, "\"n\":2");
    wait_for_replay(house, peer);
    tell(house, "h:2", "3");
    peer_send(peer, 1, "{\"t\":\"subscribe\",\"room\":\"h:1\",\"n\":3}");
    reads(house, peer, "\"n\":3");
    late.on_done(late.ctx, ST_OK, 42);
    answer_replay(house, 41);
    wait_for_replay(house, peer);
    assert_int_equal(house->engine.replay.room_count, late.room_count);
    assert_int_equal(house->engine.replay_base, 43);
    answer_replay(house, 42);
    for (int i = 0; i < 1000 && !house->engine.past.on_past; i++)
        peer_turn(peer);
    fake_engine_answer(&house->engine, ST_UNAVAILABLE, 0); /* the second one */
    peer_destroy(peer);
}

#define CATCHUP_TEST(name) cmocka_unit_test_setup_teardown(name, open_system, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CATCHUP_TEST(the_past_comes_first_then_what_came_meanwhile),
        CATCHUP_TEST(what_is_asked_is_within_the_bounds_of_the_file),
        CATCHUP_TEST(where_the_log_cannot_tell_everything_counts_as_missing),
        CATCHUP_TEST(a_log_that_begins_anew_meanwhile_is_read_from_its_beginning),
        CATCHUP_TEST(who_leaves_meanwhile_is_not_answered),
        CATCHUP_TEST(histories_follow_the_ack_one_by_one),
        CATCHUP_TEST(a_room_waits_once_however_often_it_is_joined),
        CATCHUP_TEST(a_room_that_is_joined_again_does_not_bring_its_first_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

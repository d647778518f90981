/* What a gateway makes of pages that bring nothing, since the log cannot read: nobody is
 * told that nothing is missing, and it is asked again a little later; and of rooms that
 * are left meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/gateway_return.h"

enum {
    AGAIN_MS = 50, /* no sooner, and a loop's clock may be late */
};

static int open_recovery(void **state)
{
    struct config_gateway settings = house_settings;

    settings.ping_interval_ms = 20000;
    return open_house_by(state, &settings, &house_limits,
                         system_of("namespaces: {/: {recovery: on}}\n"
                                   "rooms: [{match: '**', allow: any}]\n"));
}

static void nobody_is_recovered_by_a_page_that_brings_nothing(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = come_back(house);

    answer_replay(house, 30);
    READ(house, io);
    assert_true(house->text[0] != '4' || house->text[1] != '0');
    assert_int_equal(house->engine.puts, 0);
    peer_wait(io, 20);
    assert_true(io->is_closed);
    peer_destroy(io);
}

static void a_page_that_brings_nothing_is_asked_for_a_little_later(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = come_back(house);

    answer_replay(house, 35);
    assert_starts(READ(house, io), "40{\"sid\":\"SSSSSSSSSSSSSSSSSSSS\"");
    for (int i = 0; i < 3; i++) {
        wait_for_replay(house, io);
        assert_int_equal(house->engine.replay.from.seq, 35);
        uint64_t began_ms = clock_ms();
        answer_replay(house, 35);
        wait_for_replay(house, io);
        assert_true(clock_ms() >= began_ms + AGAIN_MS);
    }
    answer_replay(house, 40);
    peer_wait(io, 20);
    assert_null(house->engine.replay.on_done); /* it has come to live events */
    peer_destroy(io);
}

/* An event of room b that a page brings. */
static void bring(const struct engine_replay *wish, uint64_t seq)
{
    struct envelope_target target = {ROOM_NAMED, SLICE("b")};
    const struct envelope envelope = {.id = SLICE("e"),
                                      .nsp = SLICE("/"),
                                      .event = SLICE("n"),
                                      .event_json = SLICE("\"n\""),
                                      .data = SLICE("\"late\""),
                                      .targets = &target,
                                      .target_count = 1};
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};

    envelope_encode(&envelope, &wire);
    wish->on_event(wish->ctx, &(struct engine_event){
                                  .position = {7, seq},
                                    .envelope = buf_slice(&wire)
    });
    wish->on_done(wish->ctx, ST_OK, seq);
    buf_finish(&wire);
}

/* Neither what is held nor the page under way speaks of it any more; joined again, it
 * goes on from there. */
static void a_room_that_is_left_while_catching_up_is_silent(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = come_back(house);

    answer_replay(house, 32);
    assert_starts(READ(house, io), "40{\"sid\":\"SSSSSSSSSSSSSSSSSSSS\"");
    wait_for_replay(house, io);
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"b\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":true");
    emit(house, ROOM_NAMED, "b", "\"held\"", false);
    answer_replay(house, 34);
    wait_for_replay(house, io);
    const struct engine_replay late = house->engine.replay;

    house->engine.replay.on_done = NULL;
    peer_send(io, 1, "422[\"unsubscribe\",{\"room\":\"b\"}]");
    assert_starts(READ(house, io), "432[{\"ok\":true");
    bring(&late, 36);
    emit(house, ROOM_NAMED, "b", "\"away\"", false);
    peer_send(io, 1, "423[\"subscribe\",{\"room\":\"b\"}]");
    assert_starts(READ(house, io), "433[{\"ok\":true");
    emit(house, ROOM_NAMED, "b", "\"back\"", false);
    wait_for_replay(house, io);
    assert_int_equal(house->engine.replay.from.seq, 34);
    assert_int_equal(house->engine.replay.to, 41);
    assert_int_equal(house->engine.replay.room_count, late.room_count - 1);
    answer_replay(house, 38);
    wait_for_replay(house, io);
    assert_int_equal(house->engine.replay.room_count, late.room_count);
    assert_int_equal(house->engine.replay_base, 42);
    answer_replay(house, 41);
    assert_starts(READ(house, io), "42[\"hello\",\"back\"");
    peer_destroy(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_recovered_by_a_page_that_brings_nothing,
                                        open_recovery, close_house),
        cmocka_unit_test_setup_teardown(
            a_page_that_brings_nothing_is_asked_for_a_little_later, open_recovery,
            close_house),
        cmocka_unit_test_setup_teardown(a_room_that_is_left_while_catching_up_is_silent,
                                        open_recovery, close_house),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

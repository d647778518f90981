/* What a gateway makes of pages that bring nothing, since the log cannot read: nobody is
 * told that nothing is missing, and it is asked again a little later. */
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
                         system_of("namespaces: {/: {recovery: on}}"));
}

/* The page that was asked for is whole up to this seq, and has no event. */
static void answer(struct house *house, uint64_t through)
{
    const struct engine_replay wish = house->engine.replay;

    house->engine.replay.on_done = NULL;
    wish.on_done(wish.ctx, ST_OK, through);
}

static void nobody_is_recovered_by_a_page_that_brings_nothing(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = come_back(house);

    answer(house, 30);
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

    answer(house, 35);
    assert_starts(READ(house, io), "40{\"sid\":\"SSSSSSSSSSSSSSSSSSSS\"");
    for (int i = 0; i < 3; i++) {
        wait_for_replay(house, io);
        assert_int_equal(house->engine.replay.from.seq, 35);
        uint64_t began_ms = clock_ms();
        answer(house, 35);
        wait_for_replay(house, io);
        assert_true(clock_ms() >= began_ms + AGAIN_MS);
    }
    answer(house, 40);
    peer_wait(io, 20);
    assert_null(house->engine.replay.on_done); /* it has come to live events */
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The end of a gateway: who is there leaves evenly, who comes is refused, and it waits
 * for the directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/system_house.h"

enum {
    CLIENTS = 10,
    WINDOW_MS = 400,
};

/* No heartbeat comes in between. */
static int open_calm(void **state)
{
    struct config_gateway settings = house_settings;

    settings.ping_interval_ms = settings.connect_timeout_ms = 60000;
    return open_house_with(state, &settings, &house_limits);
}

static void set_true(void *ctx)
{
    *(bool *)ctx = true;
}

static int64_t sessions(const struct house *house)
{
    return atomic_load(&house->metrics.values[METRIC_SESSIONS]);
}

static void turn(struct house *house)
{
    uv_run(&house->loop, UV_RUN_NOWAIT);
    usleep(200);
}

static void begin(struct house *house, uint64_t window_ms, bool *is_drained)
{
    const struct gateway_end end = {window_ms, DOOR_IS_OURS};

    *is_drained = false;
    gateway_drain(house->gateway, &end, set_true, is_drained);
}

static void clients_leave_evenly(void **state)
{
    struct house *house = *state;
    struct ws_peer *peers[CLIENTS];
    bool is_drained;

    for (int i = 0; i < CLIENTS; i++)
        peers[i] = join_native(house, "ada", "[]");
    uint64_t began_ms = clock_ms();
    begin(house, WINDOW_MS, &is_drained);
    assert_true(house->engine.is_retired);
    while (sessions(house) > 0) {
        turn(house);
        int64_t gone = CLIENTS - sessions(house);
        int64_t due = (int64_t)(clock_ms() - began_ms) * CLIENTS / WINDOW_MS + 1;
        if (gone > due)
            fail_msg("%d have left where %d were due", (int)gone, (int)due);
    }
    assert_true(clock_ms() - began_ms >= WINDOW_MS * (CLIENTS - 1) / CLIENTS);
    /* The oldest first. */
    for (int i = 0; i < CLIENTS; i++) {
        char told[64];
        snprintf(told, sizeof told, "{\"t\":\"drain\",\"in\":%d}",
                 WINDOW_MS / CLIENTS * i);
        assert_string_equal(READ(house, peers[i]), told);
        READ(house, peers[i]);
        assert_int_equal(close_code(house), 1001);
        peer_destroy(peers[i]);
    }
    for (int i = 0; i < 10000 && !is_drained; i++)
        turn(house);
    assert_true(is_drained);
}

static void who_comes_is_refused_and_may_ask_how_it_is(void **state)
{
    struct house *house = *state;
    struct ws_peer *first = join_socketio(house, "bob", "[]");
    struct ws_peer *there = join_socketio(house, "ada", "[]");
    struct ws_peer *late = peer_create(&house->loop, house->port);
    bool is_drained;

    begin(house, 60000, &is_drained);
    READ(house, first);
    assert_int_equal(first->opcode, 8);
    assert_int_equal(peer_upgrade(late, "/socket.io/?EIO=4&transport=websocket", ""),
                     503);
    peer_destroy(late);
    late = peer_create(&house->loop, house->port);
    assert_int_equal(peer_upgrade(late, "/ws", ""), 503);
    assert_false(is_drained);
    assert_int_equal(sessions(house), 1);
    /* It is served while it waits for its turn. */
    peer_send(there, 1, "420[\"subscribe\",{\"room\":\"x\"}]");
    assert_starts(READ(house, there), "430[");
    peer_destroy(there);
    peer_destroy(first);
    peer_destroy(late);
    for (int i = 0; i < 10000 && !is_drained; i++)
        turn(house);
    assert_true(is_drained); /* all have gone by themselves */
}

static void what_the_directory_must_know_is_waited_for(void **state)
{
    struct house *house = *state;
    bool is_drained;

    house->engine.is_silent = true;
    house->engine.waiting_count = 1;
    begin(house, 0, &is_drained);
    for (int i = 0; i < 200; i++)
        turn(house);
    assert_false(is_drained);
    house->engine.waiting_count = 0;
    for (int i = 0; i < 10000 && !is_drained; i++)
        turn(house);
    assert_true(is_drained);
}

static void clients_are_told_what_the_file_says(void **state)
{
    struct house *house = *state;
    struct ws_peer *io, *native;
    bool is_drained;

    use_yaml(house, "drain: {event: bye, payload: {who: '{claims.sub}'}}\n");
    io = join_socketio(house, "ada", "[]");
    native = join_native(house, "bob", "[]");
    begin(house, 0, &is_drained);
    assert_starts(READ(house, io), "42[\"bye\",{\"who\":\"ada\"}");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    assert_starts(READ(house, native), "{\"t\":\"event\",\"event\":\"bye\"");
    assert_non_null(strstr(house->text, "\"data\":{\"who\":\"bob\"}"));
    READ(house, native);
    assert_int_equal(native->opcode, 8);
    peer_destroy(io);
    peer_destroy(native);
}

#define CALM_TEST(name) cmocka_unit_test_setup_teardown(name, open_calm, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALM_TEST(clients_leave_evenly),
        CALM_TEST(who_comes_is_refused_and_may_ask_how_it_is),
        CALM_TEST(what_the_directory_must_know_is_waited_for),
        CALM_TEST(clients_are_told_what_the_file_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

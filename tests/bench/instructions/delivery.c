/*
 * What a delivery costs in instructions: a whole gateway on a still engine, real sockets,
 * and callgrind that counts from the event's bytes to the last write and nothing else.
 * Each figure is one dump of callgrind, named here; tests/bench/instructions.mjs runs
 * this and divides by the deliveries that are printed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <valgrind/callgrind.h>

#include "support/gateway_house.h"

enum {
    MEMBERS = 100,
    EVENTS = 40,
    WARM_UP = 5,
    BURST = 8, /* divides EVENTS */
    DATA_BYTES = 64,
};

/* Generous, as valgrind is slow: no heartbeat comes between. */
static const struct config_gateway settings = {.count = 1,
                                               .ping_interval_ms = 3600000,
                                               .ping_timeout_ms = 3600000,
                                               .connect_timeout_ms = 3600000,
                                               .max_message_bytes = 4096,
                                               .transports = "websocket",
                                               .socketio = CONFIG_ON,
                                               .native = CONFIG_ON};
static const struct config_limits limits = {.connections = 2 * MEMBERS,
                                            .rooms_per_socket = 3,
                                            .outbox_bytes = 1 << 20,
                                            .outbox_frames = 1000};

struct audience {
    struct ws_peer *peers[MEMBERS];
};

static void drain(struct audience *audience)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        struct ws_peer *peer = audience->peers[i];
        while (recv(peer->fd, peer->bytes, PEER_BYTES, MSG_DONTWAIT) > 0)
            ;
    }
}

/* Hands one event to the gateway as the bus would, and counts what that takes. */
static void deliver_counted(struct house *house, struct slice envelope, bool has_more)
{
    struct fake_engine *fake = &house->engine;

    fake->head.seq++;
    struct engine_event event = {
        .position = fake->head, .envelope = envelope, .has_more = has_more};
    CALLGRIND_TOGGLE_COLLECT;
    fake->listener->on_event(fake->ctx, &event);
    if (!has_more)
        fake->listener->on_settled(fake->ctx);
    CALLGRIND_TOGGLE_COLLECT;
}

static void encode(struct buf *wire, enum room_kind kind, const char *name)
{
    static char data[DATA_BYTES + 1];
    struct envelope_target target = {kind, slice_of(name)};
    struct envelope envelope = {.kind = ENVELOPE_EVENT,
                                .at_ms = 1700000000000,
                                .id = SLICE("01KA0000000000000000000000"),
                                .nsp = SLICE("/"),
                                .event = SLICE("task.moved"),
                                .event_json = SLICE("\"task.moved\""),
                                .targets = &target,
                                .target_count = 1};

    memset(data, 'x', DATA_BYTES);
    data[0] = data[DATA_BYTES - 1] = '"';
    envelope.data = slice_of(data);
    envelope_encode(&envelope, wire);
    assert_int_equal(buf_status(wire), ST_OK);
}

/* One figure: EVENTS events, in bursts of `burst`, to the audience's user: `members`
 * each. */
static void measure(struct house *house, struct audience *audience, const char *name,
                    const char *user, int members, int burst)
{
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    int64_t before = 0;

    encode(&wire, ROOM_USER, user);
    for (int i = -WARM_UP * burst; i < EVENTS; i++) {
        if (i == 0) {
            before = atomic_load(&house->metrics.values[METRIC_DELIVERIES]);
            CALLGRIND_DUMP_STATS_AT("warm_up"); /* what was counted so far is put away */
        }
        bool is_last = (i + WARM_UP * burst) % burst == burst - 1;
        deliver_counted(house, buf_slice(&wire), !is_last);
        if (is_last)
            drain(audience);
    }
    CALLGRIND_DUMP_STATS_AT(name);
    int64_t deliveries = atomic_load(&house->metrics.values[METRIC_DELIVERIES]) - before;
    assert_int_equal(deliveries, EVENTS * members);
    printf("%s %lld\n", name, (long long)deliveries);
    buf_finish(&wire);
}

/* All are one user, but for the first, who is another. */
static void join_all(struct house *house, struct audience *audience,
                     struct ws_peer *(*join)(struct house *, const char *, const char *),
                     const char *all, const char *one)
{
    for (size_t i = 0; i < MEMBERS; i++)
        audience->peers[i] = join(house, i == 0 ? one : all, "[]");
}

static void count_instructions(void **state)
{
    struct house *house = *state;
    struct audience native, socketio;

    join_all(house, &native, join_native, "ada", "ann");
    join_all(house, &socketio, join_socketio, "bob", "ben");
    measure(house, &native, "delivery_native", "ada", MEMBERS - 1, 1);
    measure(house, &native, "delivery_native_burst", "ada", MEMBERS - 1, BURST);
    measure(house, &native, "event_native", "ann", 1, 1);
    measure(house, &socketio, "delivery_socketio", "bob", MEMBERS - 1, 1);
    measure(house, &socketio, "delivery_socketio_burst", "bob", MEMBERS - 1, BURST);
    measure(house, &socketio, "event_socketio", "ben", 1, 1);
    for (size_t i = 0; i < MEMBERS; i++) {
        peer_destroy(native.peers[i]);
        peer_destroy(socketio.peers[i]);
    }
}

static int open_quiet_house(void **state)
{
    return open_house_with(state, &settings, &limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(count_instructions, open_quiet_house,
                                        close_house),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

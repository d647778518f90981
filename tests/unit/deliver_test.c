/* Delivery to both dialects: who gets an event, once, and who does not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/gateway_house.h"

static struct envelope hello(struct envelope_target *targets, size_t count)
{
    return (struct envelope){.kind = ENVELOPE_EVENT,
                             .at_ms = clock_wall_ms(),
                             .id = SLICE("e1"),
                             .nsp = SLICE("/"),
                             .event = SLICE("hello"),
                             .event_json = SLICE("\"hello\""),
                             .data = SLICE("1"),
                             .targets = targets,
                             .target_count = count};
}

static void several_targets_reach_each_member_once(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");
    struct envelope_target targets[] = {
        {ROOM_USER,  SLICE("ada")},
        {ROOM_NAMED, SLICE("a")  },
        {ROOM_ALL,   {0}         }
    };
    struct envelope envelope = hello(targets, 3);

    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":true");
    fake_engine_emit(&house->engine, &envelope, false);
    emit(house, ROOM_ALL, "", "2", false);
    assert_string_equal(READ(house, io), "42[\"hello\",1]");
    assert_string_equal(READ(house, io), "42[\"hello\",2]");
    peer_destroy(io);
}

static void who_is_excepted_gets_nothing(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *other = join_socketio(house, "bob", "[]");
    struct slice except = {house->text + strlen("40{\"sid\":\""), LIMIT_SIO_SID_BYTES};
    struct envelope_target target = {ROOM_ALL, {0}};
    struct envelope envelope = hello(&target, 1);

    envelope.except = &except;
    envelope.except_count = 1;
    fake_engine_emit(&house->engine, &envelope, false);
    emit(house, ROOM_ALL, "", "2", false);
    assert_string_equal(READ(house, io), "42[\"hello\",1]");
    assert_string_equal(READ(house, other), "42[\"hello\",2]");
    peer_destroy(io);
    peer_destroy(other);
}

/* A socket's room is named by its public sid, and counts as any other. */
static void a_socket_is_a_room_of_its_own(void **state)
{
    struct house *house = *state;
    struct ws_peer *other = join_socketio(house, "bob", "[]");
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    char sid[LIMIT_SIO_SID_BYTES + 1] = "";

    memcpy(sid, house->text + strlen("40{\"sid\":\""), LIMIT_SIO_SID_BYTES);
    struct envelope_target targets[] = {
        {ROOM_SOCKET, slice_of(sid)},
        {ROOM_USER,   SLICE("ada") },
        {ROOM_SOCKET, slice_of(sid)}
    };
    struct envelope envelope = hello(targets, 3);

    emit(house, ROOM_SOCKET, sid, "0", false);
    fake_engine_emit(&house->engine, &envelope, false);
    envelope.nsp = SLICE("/other"); /* it is there on "/" only */
    fake_engine_emit(&house->engine, &envelope, false);
    emit(house, ROOM_ALL, "", "2", false);
    assert_string_equal(READ(house, io), "42[\"hello\",0]");
    assert_string_equal(READ(house, io), "42[\"hello\",1]");
    assert_string_equal(READ(house, io), "42[\"hello\",2]");
    assert_string_equal(READ(house, other), "42[\"hello\",2]");

    envelope = hello(targets, 1);
    envelope.kind = ENVELOPE_CONTROL_DISCONNECT;
    fake_engine_emit(&house->engine, &envelope, false);
    assert_string_equal(READ(house, io), "41");
    emit(house, ROOM_SOCKET, sid, "3", false);
    emit(house, ROOM_ALL, "", "4", false);
    assert_string_equal(READ(house, other), "42[\"hello\",4]");
    peer_destroy(io);
    peer_destroy(other);
}

static void an_expired_event_is_dropped(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct envelope_target target = {ROOM_ALL, {0}};
    struct envelope envelope = hello(&target, 1);

    envelope.ttl_ms = 1000;
    envelope.at_ms -= 2000;
    fake_engine_emit(&house->engine, &envelope, false);
    emit(house, ROOM_ALL, "", "2", false);
    assert_string_equal(READ(house, io), "42[\"hello\",2]");
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_DROPPED]), 1);
    peer_destroy(io);
}

static void a_volatile_event_has_no_position(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "ada", "[]");
    struct envelope_target target = {ROOM_ALL, {0}};
    struct envelope envelope = hello(&target, 1);

    envelope.flags = ENVELOPE_VOLATILE;
    fake_engine_emit(&house->engine, &envelope, false);
    assert_null(strstr(READ(house, native), "\"position\""));
    emit(house, ROOM_ALL, "", "2", false);
    assert_non_null(strstr(READ(house, native), "\"position\":\""));
    peer_destroy(native);
}

/* A page of the log may hold more events than an outbox has room for. */
static void a_burst_longer_than_the_outbox_is_no_slow_client(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    char expected[64];
    char data[16];

    for (int i = 0; i < 3000; i++) {
        snprintf(data, sizeof data, "%d", i);
        emit(house, ROOM_ALL, "", data, i < 2999);
    }
    for (int i = 0; i < 3000; i++) {
        snprintf(expected, sizeof expected, "42[\"hello\",%d]", i);
        assert_string_equal(READ(house, io), expected);
    }
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_SLOW_CONSUMERS]), 0);
    peer_destroy(io);
}

/* The client reads nothing: its socket fills, then its outbox begins to. */
static void a_volatile_event_does_not_stand_in_line(void **state)
{
    static char data[60000];
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct envelope_target target = {ROOM_ALL, {0}};
    struct envelope envelope = hello(&target, 1);

    memset(data, 'x', sizeof data - 1);
    data[0] = data[sizeof data - 2] = '"';
    envelope.flags = ENVELOPE_VOLATILE;
    envelope.data = slice_of(data);
    for (int i = 0; i < 2000; i++)
        fake_engine_emit(&house->engine, &envelope, false);
    assert_true(atomic_load(&house->metrics.values[METRIC_DROPPED]) > 0);
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_SLOW_CONSUMERS]), 0);
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_DROPPED]) +
                         atomic_load(&house->metrics.values[METRIC_DELIVERIES]),
                     2000);
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_WAIVED_VOLATILE_BUSY]),
                     atomic_load(&house->metrics.values[METRIC_DROPPED]));
    peer_destroy(io);
}

static void a_kick_is_told_in_each_dialects_way(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *native = join_native(house, "ada", "[]");
    struct envelope_target target = {ROOM_USER, SLICE("ada")};
    struct envelope envelope = hello(&target, 1);

    envelope.kind = ENVELOPE_CONTROL_DISCONNECT;
    fake_engine_emit(&house->engine, &envelope, false);
    assert_string_equal(READ(house, io), "41");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    READ(house, native);
    assert_int_equal(native->opcode, 8);
    assert_int_equal(close_code(house), 4403);
    peer_destroy(io);
    peer_destroy(native);
}

static uint64_t waived(const struct house *house)
{
    uint64_t sum = 0;

    for (int i = METRIC_WAIVED_REPEATED; i <= METRIC_WAIVED_NO_MEMORY; i++)
        sum += atomic_load(&house->metrics.values[i]);
    return sum;
}

static uint64_t counted(const struct house *house, enum metric metric)
{
    return atomic_load(&house->metrics.values[metric]);
}

static void expect_balance(const struct house *house, uint64_t addressed)
{
    assert_int_equal(counted(house, METRIC_ADDRESSED), addressed);
    assert_int_equal(counted(house, METRIC_DELIVERIES) + waived(house), addressed);
}

/* What was addressed is counted by rooms, what became of it one by one. */
static void each_addressed_member_is_delivered_or_waived_for_a_reason(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *other = join_socketio(house, "bob", "[]");
    struct slice except = {house->text + strlen("40{\"sid\":\""), LIMIT_SIO_SID_BYTES};
    struct envelope_target targets[] = {
        {ROOM_ALL,  {0}         },
        {ROOM_USER, SLICE("ada")},
        {ROOM_USER, SLICE("eve")}
    };
    struct envelope envelope = hello(targets, 3);

    fake_engine_emit(&house->engine, &envelope, false);
    expect_balance(house, 3);
    assert_int_equal(counted(house, METRIC_WAIVED_REPEATED), 1);

    envelope.except = &except;
    envelope.except_count = 1;
    fake_engine_emit(&house->engine, &envelope, false);
    expect_balance(house, 6);
    assert_int_equal(counted(house, METRIC_WAIVED_EXCEPT), 1);

    envelope.ttl_ms = 1000;
    envelope.at_ms -= 2000;
    fake_engine_emit(&house->engine, &envelope, false);
    expect_balance(house, 9);
    assert_int_equal(counted(house, METRIC_WAIVED_EXPIRED), 3);
    assert_int_equal(counted(house, METRIC_DELIVERIES), 3);
    peer_destroy(io);
    peer_destroy(other);
}

/* Nobody reads: the socket fills, the outbox fills, and that is the end of it. */
static void who_is_too_slow_is_waived_and_what_waited_is_discarded(void **state)
{
    static char data[60000];
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    int sent = 0;

    memset(data, 'x', sizeof data - 1);
    data[0] = data[sizeof data - 2] = '"';
    while (counted(house, METRIC_SLOW_CONSUMERS) == 0 && sent < 4000) {
        emit(house, ROOM_ALL, "", data, false);
        sent++;
    }
    expect_balance(house, (uint64_t)sent);
    assert_int_equal(counted(house, METRIC_WAIVED_SLOW_CONSUMER), 1);
    assert_true(counted(house, METRIC_DISCARDED_SLOW_CONSUMER) > 0);
    emit(house, ROOM_ALL, "", data, false);
    expect_balance(house, (uint64_t)sent); /* nobody is there any more */
    peer_destroy(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(several_targets_reach_each_member_once),
        GATEWAY_TEST(who_is_excepted_gets_nothing),
        GATEWAY_TEST(a_socket_is_a_room_of_its_own),
        GATEWAY_TEST(an_expired_event_is_dropped),
        GATEWAY_TEST(a_volatile_event_has_no_position),
        GATEWAY_TEST(a_burst_longer_than_the_outbox_is_no_slow_client),
        GATEWAY_TEST(a_volatile_event_does_not_stand_in_line),
        GATEWAY_TEST(a_kick_is_told_in_each_dialects_way),
        GATEWAY_TEST(each_addressed_member_is_delivered_or_waived_for_a_reason),
        GATEWAY_TEST(who_is_too_slow_is_waived_and_what_waited_is_discarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

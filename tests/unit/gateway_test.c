/* The gateway with both dialects over real sockets, on an engine that does what the test
 * says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/gateway_house.h"

static void an_event_reaches_both_dialects(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"room:*\"]");
    struct ws_peer *native = join_native(house, "bob", "[\"room:*\"]");

    peer_send(io, 1, "420[\"subscribe\",{\"room\":\"room:1\"}]");
    assert_string_equal(READ(house, io), "430[{\"ok\":true,\"room\":\"room:1\"}]");
    peer_send(native, 1, "{\"t\":\"subscribe\",\"room\":\"room:1\",\"n\":5}");
    assert_string_equal(
        READ(house, native),
        "{\"t\":\"ack\",\"n\":5,\"data\":{\"ok\":true,\"room\":\"room:1\"}}");
    emit(house, ROOM_NAMED, "room:1", "{\"x\":1.0}", false);
    assert_string_equal(READ(house, io), "42[\"hello\",{\"x\":1.0}]");
    assert_starts(
        READ(house, native),
        "{\"t\":\"event\",\"event\":\"hello\",\"room\":\"room:1\",\"data\":{\"x\":1.0}");
    peer_destroy(io);
    peer_destroy(native);
}

static void a_burst_keeps_its_order(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    char expected[64];
    char data[16];

    for (int i = 0; i < 500; i++) {
        snprintf(data, sizeof data, "%d", i);
        emit(house, ROOM_USER, "ada", data, i % 7 != 6 && i != 499);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(expected, sizeof expected, "42[\"hello\",%d]", i);
        assert_string_equal(READ(house, io), expected);
    }
    peer_destroy(io);
}

static void events_of_others_do_not_arrive(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"room:1\"]");

    emit(house, ROOM_USER, "bob", "1", false);
    emit(house, ROOM_NAMED, "room:1", "2", false);
    emit(house, ROOM_ALL, "", "3", false);
    assert_string_equal(READ(house, io), "42[\"hello\",3]");
    peer_destroy(io);
}

static void a_room_that_is_not_granted_is_refused(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"room:1\"]");

    peer_send(io, 1, "427[\"subscribe\",{\"room\":\"room:2\"}]");
    assert_starts(READ(house, io), "437[{\"ok\":false,\"error\":\"E_FORBIDDEN\"");
    peer_send(io, 1, "428[\"subscribe\",{\"room\":\"user:bob\"}]");
    assert_starts(READ(house, io), "438[{\"ok\":false,\"error\":\"E_FORBIDDEN\"");
    peer_send(io, 1, "429[\"subscribe\",{\"room\":\"a b\"}]");
    assert_starts(READ(house, io), "439[{\"ok\":false,\"error\":\"E_BAD_TARGET\"");
    peer_send(io, 1, "42[\"subscribe\",7]");
    assert_starts(READ(house, io), "42[\"error\",{\"code\":\"E_BAD_PAYLOAD\"");
    peer_send(io, 1, "4210[\"no-such-thing\"]");
    assert_starts(READ(house, io), "4310[{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\"");
    peer_destroy(io);
}

static void rooms_per_socket_have_a_ceiling(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"**\"]");
    char command[64];

    for (int i = 0; i < 3; i++) {
        snprintf(command, sizeof command, "42%d[\"subscribe\",{\"room\":\"r:%d\"}]", i,
                 i);
        peer_send(io, 1, command);
        assert_non_null(strstr(READ(house, io), "\"ok\":true"));
    }
    peer_send(io, 1, "423[\"subscribe\",{\"room\":\"r:3\"}]");
    assert_non_null(strstr(READ(house, io), "E_LIMIT"));
    peer_send(io, 1, "424[\"unsubscribe\",{\"room\":\"r:1\"}]");
    assert_non_null(strstr(READ(house, io), "\"ok\":true"));
    assert_string_equal(house->engine.last_rooms, "r:0,r:2,");
    peer_send(io, 1, "425[\"subscribe\",{\"room\":\"r:3\"}]");
    assert_non_null(strstr(READ(house, io), "\"ok\":true"));
    peer_destroy(io);
}

static void a_join_that_the_directory_refuses_is_undone(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"**\"]");

    house->engine.put_answer = ST_UNAVAILABLE;
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"r:1\"}]");
    assert_non_null(strstr(READ(house, io), "E_UNAVAILABLE"));
    assert_string_equal(house->engine.last_rooms, "");
    emit(house, ROOM_NAMED, "r:1", "1", false);
    emit(house, ROOM_ALL, "", "2", false);
    assert_string_equal(READ(house, io), "42[\"hello\",2]");
    peer_destroy(io);
}

static void events_wait_until_the_client_is_connected(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char connect[1024];

    house->engine.is_silent = true;
    assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""), 101);
    READ(house, io);
    snprintf(connect, sizeof connect, "40{\"token\":\"%s\"}", token);
    peer_send(io, 1, connect);
    while (house->engine.waiting_count == 0)
        peer_turn(io);
    emit(house, ROOM_ALL, "", "1", false);
    emit(house, ROOM_ALL, "", "2", false);
    house->engine.is_silent = false;
    assert_starts(READ(house, io), "40{\"sid\":");
    assert_string_equal(READ(house, io), "42[\"hello\",1]");
    assert_string_equal(READ(house, io), "42[\"hello\",2]");
    free(token);
    peer_destroy(io);
}

static void bad_tokens_are_refused_in_each_dialects_way(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = peer_create(&house->loop, house->port);
    struct ws_peer *native = peer_create(&house->loop, house->port);
    struct ws_peer *late = peer_create(&house->loop, house->port);
    char *expired = mint(house, "ada", "[]", -60);
    char text[2048];

    assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""), 101);
    READ(house, io);
    peer_send(io, 1, "40");
    assert_starts(READ(house, io),
                  "44{\"message\":\"Authentication required\",\"data\":{\"code\":"
                  "\"E_UNAUTH\",\"reason\":\"missing\"");
    snprintf(text, sizeof text, "40{\"token\":\"%s\"}", expired);
    peer_send(io, 1, text);
    assert_starts(READ(house, io), "44{\"message\":\"Token expired\",\"data\":{\"code\":"
                                   "\"E_UNAUTH\",\"reason\":\"expired\"");
    peer_send(io, 1, "40/other,{}");
    assert_string_equal(READ(house, io), "44/other,{\"message\":\"Invalid namespace\"}");

    assert_int_equal(peer_upgrade(native, "/ws?token=nonsense", ""), 401);
    assert_int_equal(peer_upgrade(late, "/ws", ""), 101);
    peer_send(late, 1, "{\"t\":\"connect\"}");
    assert_starts(READ(house, late), "{\"t\":\"error\",\"code\":\"E_UNAUTH\"");
    READ(house, late);
    assert_int_equal(late->opcode, 8);
    free(expired);
    peer_destroy(io);
    peer_destroy(native);
    peer_destroy(late);
}

/* Identity services do issue tokens that long: "missing" would send people astray. */
static void a_token_that_is_too_long_is_not_called_missing(void **state)
{
    struct house *house = *state;
    char token[LIMIT_TOKEN_BYTES + 2], targets[2][5000], fields[2][5000] = {""};

    memset(token, 'a', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    snprintf(targets[0], 5000, "/socket.io/?EIO=4&transport=websocket&token=%s", token);
    snprintf(targets[1], 5000, "/socket.io/?EIO=4&transport=websocket");
    snprintf(fields[1], 5000, "Authorization: Bearer %s\r\n", token);
    for (size_t i = 0; i < 2; i++) {
        struct ws_peer *peer = peer_create(&house->loop, house->port);

        assert_int_equal(peer_upgrade(peer, targets[i], fields[i]), 101);
        READ(house, peer);
        peer_send(peer, 1, "40");
        const char *said = READ(house, peer);
        assert_starts(said, "44{\"message\":\"Invalid token\"");
        assert_non_null(strstr(said, "longer than 4 KiB"));
        peer_destroy(peer);
    }
}

static void what_is_no_upgrade_of_ours_is_refused(void **state)
{
    static const struct {
        const char *target;
        const char *fields;
        int status;
    } cases[] = {
        {"/nowhere",                                    "",                                 404},
        {"/socket.io/?EIO=3&transport=websocket",       "",                                 400},
        {"/socket.io/?EIO=4&transport=polling",         "",                                 400},
        {"/socket.io/?EIO=4&transport=websocket&sid=x", "",                                 400},
        {"/ws",                                         "Sec-WebSocket-Protocol: mqtt\r\n", 400},
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ws_peer *peer = peer_create(&house->loop, house->port);
        assert_int_equal(peer_upgrade(peer, cases[i].target, cases[i].fields),
                         cases[i].status);
        peer_destroy(peer);
    }
}

static void a_silent_client_is_pinged_and_then_closed(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    uint64_t from = clock_ms();

    assert_string_equal(READ(house, io), "2");
    assert_in_range(clock_ms() - from, 250, 1500);
    peer_send(io, 1, "3");
    assert_string_equal(READ(house, io), "2");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    peer_destroy(io);
}

static int open_pinging(void **state)
{
    struct config_gateway settings = house_settings;

    settings.ping_interval_ms = 50;
    settings.ping_timeout_ms = 5000;
    return open_house_with(state, &settings, &house_limits);
}

/* A proxy counts what comes from the server, and the client has been promised pings. */
static void who_speaks_is_pinged_as_often_as_who_is_silent(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    unsigned frames = 0, messages = 0;
    char text[2048];

    snprintf(text, sizeof text, "{\"t\":\"connect\",\"token\":\"%s\",\"ping\":true}",
             token);
    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    peer_send(native, 1, text);
    for (int i = 0; i < 200 && (frames < 4 || messages < 4); i++) {
        peer_wait(native, 20);
        peer_send(native, 1, "{\"t\":\"pong\"}");
        while (peer_take(native, house->text, sizeof house->text)) {
            frames += native->opcode == 9;
            messages += strcmp(house->text, "{\"t\":\"ping\"}") == 0;
        }
    }
    assert_true(frames >= 4);
    assert_true(messages >= 4);
    assert_false(native->is_closed);
    peer_destroy(native);
    free(token);
}

/* The loop was away while the pongs were due: each client has so much longer, once. */
static void a_late_loop_gives_its_clients_as_much_time(void **state)
{
    enum {
        LATE_MS = 900
    };
    struct house *house = *state;
    struct ws_peer *peers[] = {join_socketio(house, "ada", "[]"),
                               join_native(house, "bob", "[]")};
    uint64_t pinged_ms = 0;

    for (size_t i = 0; i < 2; i++) {
        READ(house, peers[i]); /* the ping; nobody answers */
        pinged_ms = clock_ms();
    }
    metrics_add(&house->metrics, METRIC_LATE_MS, LATE_MS);
    for (size_t i = 0; i < 2; i++) {
        READ(house, peers[i]);
        assert_int_equal(peers[i]->opcode, 8);
        assert_true(clock_ms() - pinged_ms >= LATE_MS - 100);
        peer_destroy(peers[i]);
    }
}

/* As after a long fan-out, or when the machine was busy elsewhere. */
static void what_came_to_a_late_loop_is_read_before_time_is_up(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    assert_string_equal(READ(house, io), "2");
    peer_send(io, 1, "3");
    usleep(500 * 1000); /* its time was 200 ms */
    assert_string_equal(READ(house, io), "2");
    assert_int_equal(io->opcode, 1);
    peer_destroy(io);
}

static void who_never_connects_is_closed(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);

    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    READ(house, native); /* a ping, or the end */
    if (native->opcode == 9)
        READ(house, native);
    assert_int_equal(native->opcode, 8);
    assert_int_equal(close_code(house), 4408);
    peer_destroy(native);
}

static void a_broken_packet_ends_the_connection(void **state)
{
    static const char *const bad[] = {"",  "9", "4", "4x", "42{}", "42[\"connect\"]",
                                      "2", "40"};
    struct house *house = *state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ws_peer *io = join_socketio(house, "ada", "[]");
        peer_send(io, 1, bad[i]);
        READ(house, io);
        assert_int_equal(io->opcode, 8);
        peer_destroy(io);
    }
}

static void a_message_over_the_limit_ends_the_connection(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    static char big[6000];

    memset(big, 'x', sizeof big - 1);
    peer_send(io, 1, big);
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    assert_int_equal(close_code(house), 1009);
    peer_destroy(io);
}

static void a_client_that_does_not_read_is_closed_alone(void **state)
{
    struct house *house = *state;
    struct ws_peer *slow = join_native(house, "slow", "[]");
    struct ws_peer *good = join_native(house, "good", "[]");
    static char data[100000];

    memset(data, 'x', sizeof data - 1);
    data[0] = data[sizeof data - 2] = '"';
    for (int i = 0;
         i < 200 && atomic_load(&house->metrics.values[METRIC_SLOW_CONSUMERS]) == 0;
         i++) {
        emit(house, ROOM_ALL, "", data, false);
        good->len = 0;
        peer_turn(good);
        while (recv(good->fd, good->bytes, PEER_BYTES, MSG_DONTWAIT) > 0)
            ;
    }
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_SLOW_CONSUMERS]), 1);
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_SESSIONS]), 1);
    peer_destroy(slow);
    peer_destroy(good);
}

static int64_t counted(const struct house *house, enum metric metric)
{
    return atomic_load(&house->metrics.values[metric]);
}

/* One event more than may wait, and one that comes when it is over. */
static void who_gets_too_much_while_it_opens_is_a_slow_consumer(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = peer_create(&house->loop, house->port);
    int64_t may_wait = house->limits.outbox_frames;
    char *token = mint(house, "ada", "[]", 60);
    char target[1024];

    house->engine.is_silent = true;
    snprintf(target, sizeof target, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(io, target, ""), 101);
    while (house->engine.waiting_count == 0)
        peer_turn(io);
    for (int64_t i = 0; i < may_wait + 2; i++)
        emit(house, ROOM_ALL, "", "1", i < may_wait + 1);
    house->engine.is_silent = false;
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    assert_int_equal(close_code(house), 4503);
    assert_int_equal(counted(house, METRIC_SLOW_CONSUMERS), 1);
    assert_int_equal(counted(house, METRIC_DISCARDED_SLOW_CONSUMER), may_wait);
    assert_int_equal(counted(house, METRIC_DISCARDED_CLOSED), 0);
    assert_int_equal(counted(house, METRIC_WAIVED_SLOW_CONSUMER), 1);
    free(token);
    peer_destroy(io);
}

static void drained(void *ctx)
{
    *(bool *)ctx = true;
}

static void a_drain_tells_every_client(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *native = join_native(house, "bob", "[]");
    bool is_drained = false;

    gateway_drain(house->gateway, &(struct gateway_end){0}, drained, &is_drained);
    READ(house, native);
    assert_int_equal(native->opcode, 8);
    assert_int_equal(close_code(house), 1001);
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    peer_destroy(io);
    peer_destroy(native);
    for (int i = 0; i < 5000 && !is_drained; i++) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
        usleep(200);
    }
    assert_true(is_drained);
    assert_int_equal(atomic_load(&house->metrics.values[METRIC_MEMBERSHIPS]), 0);
    assert_int_equal(house->engine.drops, 2);
}

static void a_refresh_leaves_what_the_new_token_does_not_grant(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\",\"b\"]");
    char *token = mint(house, "ada", "[\"b\"]", 60);
    char *other = mint(house, "eve", "[\"a\"]", 60);
    char command[1024];

    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    READ(house, io);
    peer_send(io, 1, "422[\"subscribe\",{\"room\":\"b\"}]");
    READ(house, io);
    snprintf(command, sizeof command, "423[\"auth:refresh\",{\"token\":\"%s\"}]", other);
    peer_send(io, 1, command);
    assert_non_null(strstr(READ(house, io), "E_FORBIDDEN"));
    snprintf(command, sizeof command, "424[\"auth:refresh\",{\"token\":\"%s\"}]", token);
    peer_send(io, 1, command);
    assert_string_equal(READ(house, io), "434[{\"ok\":true}]");
    emit(house, ROOM_NAMED, "a", "1", false);
    emit(house, ROOM_NAMED, "b", "2", false);
    assert_string_equal(READ(house, io), "42[\"hello\",2]");
    free(token);
    free(other);
    peer_destroy(io);
}

static void a_broken_log_resets_native_clients_and_returns_the_others(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *native = join_native(house, "bob", "[]");
    struct position now = {8, 0};

    house->engine.listener->on_reset(house->engine.ctx, "epoch_changed", &now);
    assert_starts(READ(house, native),
                  "{\"t\":\"resync\",\"rooms\":[\"*\"],\"reason\":\"epoch_changed\"");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    peer_destroy(io);
    peer_destroy(native);
}

static void emit_late(uv_idle_t *idle)
{
    static int turns;

    if (++turns < 3)
        return;
    emit(idle->data, ROOM_ALL, "", "1", false);
    uv_close((uv_handle_t *)idle, NULL);
}

/* The loop turns while connections close, and the engine has not been told. */
static void events_that_come_while_it_ends_are_nobodys(void **state)
{
    static uv_idle_t idle;
    struct house *house = *state;

    uv_idle_init(&house->loop, &idle);
    idle.data = house;
    uv_idle_start(&idle, emit_late); /* close_house turns the loop */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(an_event_reaches_both_dialects),
        GATEWAY_TEST(a_burst_keeps_its_order),
        GATEWAY_TEST(events_that_come_while_it_ends_are_nobodys),
        GATEWAY_TEST(events_of_others_do_not_arrive),
        GATEWAY_TEST(a_room_that_is_not_granted_is_refused),
        GATEWAY_TEST(rooms_per_socket_have_a_ceiling),
        GATEWAY_TEST(a_join_that_the_directory_refuses_is_undone),
        GATEWAY_TEST(events_wait_until_the_client_is_connected),
        GATEWAY_TEST(bad_tokens_are_refused_in_each_dialects_way),
        GATEWAY_TEST(a_token_that_is_too_long_is_not_called_missing),
        GATEWAY_TEST(what_is_no_upgrade_of_ours_is_refused),
        GATEWAY_TEST(a_silent_client_is_pinged_and_then_closed),
        cmocka_unit_test_setup_teardown(who_speaks_is_pinged_as_often_as_who_is_silent,
                                        open_pinging, close_house),
        GATEWAY_TEST(a_late_loop_gives_its_clients_as_much_time),
        GATEWAY_TEST(what_came_to_a_late_loop_is_read_before_time_is_up),
        GATEWAY_TEST(who_never_connects_is_closed),
        GATEWAY_TEST(a_broken_packet_ends_the_connection),
        GATEWAY_TEST(a_message_over_the_limit_ends_the_connection),
        GATEWAY_TEST(a_client_that_does_not_read_is_closed_alone),
        GATEWAY_TEST(who_gets_too_much_while_it_opens_is_a_slow_consumer),
        GATEWAY_TEST(a_drain_tells_every_client),
        GATEWAY_TEST(a_refresh_leaves_what_the_new_token_does_not_grant),
        GATEWAY_TEST(a_broken_log_resets_native_clients_and_returns_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

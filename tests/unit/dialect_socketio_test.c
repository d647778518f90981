/* Socket.IO on the wire: what ends a connection and what does not, heartbeat, answers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/gateway_house.h"

/* An open Engine.IO connection, not in any namespace. */
static struct ws_peer *open_engineio(struct house *house)
{
    struct ws_peer *io = peer_create(&house->loop, house->port);

    assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""), 101);
    assert_starts(READ(house, io), "0{\"sid\":\"AB");
    return io;
}

static void the_handshake_has_five_keys(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = peer_create(&house->loop, house->port);

    assert_int_equal(peer_upgrade(io, "/socket.io/?EIO=4&transport=websocket", ""), 101);
    const char *said = READ(house, io);
    assert_int_equal(strlen(said) > 33 ? said[33] : 0, '"'); /* a sid of 24 characters */
    assert_string_equal(said + 33, "\",\"upgrades\":[],\"pingInterval\":300,"
                                   "\"pingTimeout\":200,\"maxPayload\":4096}");
    peer_destroy(io);
}

static void packets_for_no_namespace_of_ours_end_it(void **state)
{
    static const char *const bad[] = {
        "42[\"x\"]", "42/a,[\"x\"]", "41",       "41/a,",       "43[1]",
        "431[1]",    "43/a,1[1]",    "461-1[1]", "451-[\"x\"]", "44{\"message\":\"x\"}",
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ws_peer *io = open_engineio(house);
        peer_send(io, 1, bad[i]);
        if (strcmp(READ(house, io), "") != 0 || io->opcode != 8)
            fail_msg("%s: opcode %u, %s", bad[i], io->opcode, house->text);
        peer_destroy(io);
    }
}

static void a_namespace_that_is_not_yet_connected_is_no_namespace(void **state)
{
    static const char *const early[] = {"42[\"x\"]", "41", "431[1]", "40"};
    struct house *house = *state;
    char *token = mint(house, "ada", "[]", 60);
    char connect[1024];

    snprintf(connect, sizeof connect, "40{\"token\":\"%s\"}", token);
    for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
        struct ws_peer *io = open_engineio(house);
        house->engine.is_silent = true;
        peer_send(io, 1, connect);
        peer_send(io, 1, early[i]);
        while (house->engine.waiting_count == 0)
            peer_turn(io);
        peer_wait(io, 20);
        house->engine.is_silent = false;
        if (strcmp(READ(house, io), "") != 0 || io->opcode != 8)
            fail_msg("%s: opcode %u, %s", early[i], io->opcode, house->text);
        peer_destroy(io);
    }
    free(token);
}

static void what_the_protocol_ignores_changes_nothing(void **state)
{
    static const char *const ignored[] = {
        "0",        "5",
        "6",        "3",
        "43[1]",    "4399[1]",
        "42[1,2]",  "42[\"nobody\"]",
        "42[\"\"]", "42[\"no\",{\"_placeholder\":true}]"};
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        peer_send(io, 1, ignored[i]);
    peer_send(io, 1, "42007[\"subscribe\",{\"room\":\"*\"},2]");
    assert_string_equal(READ(house, io), "437[{\"ok\":true,\"room\":\"*\"}]");
    peer_destroy(io);
}

static void a_namespace_can_be_left_and_entered_again(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    char *token = mint(house, "ada", "[]", 60);
    char connect[1024];

    peer_send(io, 1, "41");
    snprintf(connect, sizeof connect, "40/,{\"token\":\"%s\"}", token);
    peer_send(io, 1, connect);
    assert_starts(READ(house, io), "40{\"sid\":\"");
    assert_int_equal(house->engine.drops, 1);
    peer_send(io, 1, "41");
    peer_send(io, 1, "42[\"x\"]");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    free(token);
    peer_destroy(io);
}

static void attachments_are_awaited(void **state)
{
    static const struct {
        const char *last;
        unsigned opcode;
        bool is_fine;
    } cases[] = {
        {"abc",       2, true },
        {"babc",      1, true }, /* base64 in a text frame */
        {"42[\"x\"]", 1, false},
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ws_peer *io = join_socketio(house, "ada", "[]");
        peer_send(io, 1,
                  "452-[\"x\",{\"_placeholder\":true,\"num\":0},"
                  "{\"_placeholder\":true,\"num\":1}]");
        peer_send(io, 2, "first");
        peer_send(io, 1, "3");
        peer_send(io, cases[i].opcode, cases[i].last);
        peer_send(io, 1, "421[\"subscribe\",{\"room\":\"*\"}]");
        assert_string_equal(READ(house, io),
                            cases[i].is_fine ? "431[{\"ok\":true,\"room\":\"*\"}]" : "");
        peer_send(io, 2, "surplus");
        READ(house, io);
        assert_int_equal(io->opcode, 8);
        peer_destroy(io);
    }
}

static void an_unsolicited_pong_puts_the_ping_off(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    for (int i = 0; i < 4; i++) {
        peer_wait(io, 150);
        peer_send(io, 1, "3");
    }
    uint64_t from = clock_ms();
    assert_string_equal(READ(house, io), "2");
    assert_in_range(clock_ms() - from, 250, 1500);
    peer_destroy(io);
}

static void only_a_pong_is_a_sign_of_life(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    assert_string_equal(READ(house, io), "2");
    peer_send(io, 1, "42[\"x\"]");
    peer_send(io, 9, "");
    READ(house, io);
    if (io->opcode == 10)
        READ(house, io);
    assert_int_equal(io->opcode, 8);
    peer_destroy(io);
}

static void the_clients_close_is_answered(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    peer_send(io, 1, "1");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    assert_int_equal(house->engine.drops, 1);
    peer_destroy(io);
}

static void a_failed_command_without_an_ack_is_an_error_event(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    peer_send(io, 1, "42[\"subscribe\",{\"room\":\"a\"}]");
    assert_string_equal(READ(house, io),
                        "42[\"error\",{\"code\":\"E_FORBIDDEN\",\"message\":"
                        "\"the token does not grant room \\\"a\\\"\",\"meta\":{}}]");
    peer_destroy(io);
}

static void text_that_is_not_utf8_ends_the_connection(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    peer_send(io, 1, "42[\"\xc3\"]");
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    assert_int_equal(close_code(house), 1007);
    peer_destroy(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(the_handshake_has_five_keys),
        GATEWAY_TEST(packets_for_no_namespace_of_ours_end_it),
        GATEWAY_TEST(a_namespace_that_is_not_yet_connected_is_no_namespace),
        GATEWAY_TEST(what_the_protocol_ignores_changes_nothing),
        GATEWAY_TEST(a_namespace_can_be_left_and_entered_again),
        GATEWAY_TEST(attachments_are_awaited),
        GATEWAY_TEST(an_unsolicited_pong_puts_the_ping_off),
        GATEWAY_TEST(only_a_pong_is_a_sign_of_life),
        GATEWAY_TEST(the_clients_close_is_answered),
        GATEWAY_TEST(a_failed_command_without_an_ack_is_an_error_event),
        GATEWAY_TEST(text_that_is_not_utf8_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The native dialect on the wire: exact answers, close codes, signs of life. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/gateway_house.h"

/* Reads until a frame of `opcode` comes; what comes before is passed over. */
static const char *read_until(struct house *house, struct ws_peer *peer, unsigned opcode)
{
    const char *text = READ(house, peer);

    for (int i = 0; i < 20 && peer->opcode != opcode && !peer->is_closed; i++)
        text = READ(house, peer);
    return text;
}

static void a_quiet_client_that_answers_pings_stays(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "ada", "[]");

    for (int i = 0; i < 4; i++) {
        const char *payload = READ(house, native);
        assert_int_equal(native->opcode, 9);
        peer_send(native, 10, payload);
    }
    peer_destroy(native);
}

static void a_client_that_says_nothing_is_closed(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "ada", "[]");

    READ(house, native);
    assert_int_equal(native->opcode, 9);
    READ(house, native);
    assert_int_equal(native->opcode, 8);
    assert_int_equal(close_code(house), 1001);
    peer_destroy(native);
}

static void who_asks_for_pings_of_its_own_gets_them(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char text[1024];

    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    snprintf(text, sizeof text, "{\"t\":\"connect\",\"token\":\"%s\",\"ping\":true}",
             token);
    peer_send(native, 1, text);
    assert_starts(READ(house, native), "{\"t\":\"connected\"");
    READ(house, native);
    assert_int_equal(native->opcode, 9);
    assert_string_equal(READ(house, native), "{\"t\":\"ping\"}");
    peer_send(native, 1, "{\"t\":\"pong\"}");
    READ(house, native);
    assert_int_equal(native->opcode, 9);
    free(token);
    peer_destroy(native);
}

static void commands_are_answered_to_the_letter(void **state)
{
    static const struct {
        const char *message;
        const char *answer;
    } cases[] = {
        {"{\"t\":\"subscribe\",\"room\":\"a\",\"n\":0}",
         "{\"t\":\"ack\",\"n\":0,\"data\":{\"ok\":true,\"room\":\"a\"}}"               },
        {" \n{\"n\":1,\"t\":\"subscribe\",\"room\":\"a\"} ",
         "{\"t\":\"ack\",\"n\":1,\"data\":{\"ok\":true,\"room\":\"a\"}}"               },
        {"{\"t\":\"subscribe\",\"room\":\"user:ada\",\"n\":2}",
         "{\"t\":\"ack\",\"n\":2,\"data\":{\"ok\":true,\"room\":\"user:ada\"}}"        },
        {"{\"t\":\"unsubscribe\",\"room\":\"a\",\"n\":9007199254740991}",
         "{\"t\":\"ack\",\"n\":9007199254740991,\"data\":{\"ok\":true,\"room\":\"a\"}}"},
        {"{\"t\":\"subscribe\",\"room\":\"b\",\"n\":3}",
         "{\"t\":\"ack\",\"n\":3,\"data\":{\"ok\":false,\"error\":\"E_FORBIDDEN\","
         "\"message\":\"the token does not grant room \\\"b\\\"\"}}"                   },
        {"{\"t\":\"subscribe\",\"room\":\"b\"}",
         "{\"t\":\"error\",\"code\":\"E_FORBIDDEN\","
         "\"message\":\"the token does not grant room \\\"b\\\"\"}"                    },
        {"{\"t\":\"emit\",\"event\":\"subscribe\",\"data\": {\"room\":\"a\"},\"n\":4}",
         "{\"t\":\"ack\",\"n\":4,\"data\":{\"ok\":true,\"room\":\"a\"}}"               },
        {"{\"t\":\"emit\",\"event\":\"subscribe\",\"args\":[{\"room\":\"a\"},1],\"n\":5}",
         "{\"t\":\"ack\",\"n\":5,\"data\":{\"ok\":true,\"room\":\"a\"}}"               },
        {"{\"t\":\"emit\",\"event\":\"subscribe\",\"args\":[ {\"room\":\"a\"} ],\"n\":8}",
         "{\"t\":\"ack\",\"n\":8,\"data\":{\"ok\":true,\"room\":\"a\"}}"               },
        {"{\"t\":\"emit\",\"event\":\"nothing\",\"n\":6}",
         "{\"t\":\"ack\",\"n\":6,\"data\":{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\","
         "\"message\":\"nothing here handles this event\"}}"                           },
        {"{\"t\":\"refresh\",\"token\":\"x\",\"n\":7}",
         "{\"t\":\"ack\",\"n\":7,\"data\":{\"ok\":false,\"error\":\"E_UNAUTH\","
         "\"message\":\"Invalid token\"}}"                                             },
    };
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "ada", "[\"a\"]");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        peer_send(native, 1, cases[i].message);
        assert_string_equal(READ(house, native), cases[i].answer);
    }
    peer_destroy(native);
}

static void what_is_no_message_ends_the_connection(void **state)
{
    static const struct {
        unsigned opcode;
        const char *message;
        unsigned code;
    } cases[] = {
        {1, "",                                          4400},
        {1, "nonsense",                                  4400},
        {1, "[]",                                        4400},
        {1, "{\"t\":\"dance\"}",                         4400},
        {1, "{\"t\":\"subscribe\"}",                     4400},
        {1, "{\"t\":\"connect\"}",                       4400},
        {1, "{\"t\":\"emit\",\"event\":\"x\",\"n\":-1}", 4400},
        {1, "\"\xff\"",                                  1007},
        {2, "{\"t\":\"pong\"}",                          1003},
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ws_peer *native = join_native(house, "ada", "[]");
        peer_send(native, cases[i].opcode, cases[i].message);
        read_until(house, native, 8);
        if (native->opcode != 8 || close_code(house) != cases[i].code)
            fail_msg("%s: opcode %u code %u", cases[i].message, native->opcode,
                     close_code(house));
        peer_destroy(native);
    }
}

static void a_connect_that_is_refused_says_why(void **state)
{
    static const struct {
        const char *fields; /* behind the token */
        const char *answer;
        unsigned code;
    } cases[] = {
        {",\"rooms\":[\"a\",\"b\"]",
         "{\"t\":\"error\",\"code\":\"E_FORBIDDEN\","
         "\"message\":\"the token does not grant one of `rooms`\","
         "\"reason\":\"forbidden\"}",                                   4403},
        {",\"rooms\":[\"a b\"]",
         "{\"t\":\"error\",\"code\":\"E_BAD_TARGET\","
         "\"message\":\"`rooms` has what is not the name of a room\"}", 4400},
        {",\"rooms\":[\"r:1\",\"r:2\",\"r:3\",\"r:4\"]",
         "{\"t\":\"error\",\"code\":\"E_LIMIT\",\"message\":\"Not authorized\","
         "\"reason\":\"limit\"}",                                       4429},
    };
    struct house *house = *state;
    char *token = mint(house, "ada", "[\"a\",\"r:*\"]", 60);
    char text[1024];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ws_peer *native = peer_create(&house->loop, house->port);
        assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
        snprintf(text, sizeof text, "{\"t\":\"connect\",\"token\":\"%s\"%s}", token,
                 cases[i].fields);
        peer_send(native, 1, text);
        assert_string_equal(READ(house, native), cases[i].answer);
        READ(house, native);
        assert_int_equal(native->opcode, 8);
        assert_int_equal(close_code(house), cases[i].code);
        peer_destroy(native);
    }
    free(token);
}

static void without_a_token_it_is_4401(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);

    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    peer_send(native, 1, "{\"t\":\"connect\"}");
    assert_string_equal(READ(house, native),
                        "{\"t\":\"error\",\"code\":\"E_UNAUTH\",\"message\":"
                        "\"Authentication required\",\"reason\":\"missing\"}");
    READ(house, native);
    assert_int_equal(close_code(house), 4401);
    peer_destroy(native);
}

static void nothing_is_read_before_connected(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);

    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    peer_send(native, 1, "{\"t\":\"subscribe\",\"room\":\"a\"}");
    assert_starts(READ(house, native), "{\"t\":\"error\",\"code\":\"E_BAD_REQUEST\"");
    READ(house, native);
    assert_int_equal(close_code(house), 4400);
    peer_destroy(native);
}

static void connected_names_the_rooms_and_why_nothing_was_recovered(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[\"a\"]", 60);
    char text[1024];

    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    snprintf(text, sizeof text,
             "{\"t\":\"connect\",\"token\":\"%s\",\"rooms\":[\"a\",\"a\"],"
             "\"session\":\"gone\"}",
             token);
    peer_send(native, 1, text);
    const char *said = READ(house, native);
    assert_non_null(strstr(said, "\"user\":\"ada\",\"rooms\":[\"a\"],\"recovered\":false,"
                                 "\"reason\":\"unknown_session\",\"position\":\""));
    assert_non_null(strstr(said, "\"ping_interval\":300}"));
    assert_string_equal(house->engine.last_rooms, "a,");
    free(token);
    peer_destroy(native);
}

static void a_directory_that_fails_closes_for_a_return(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char target[1024];

    house->engine.put_answer = ST_UNAVAILABLE;
    snprintf(target, sizeof target, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(native, target, ""), 101);
    READ(house, native);
    assert_int_equal(native->opcode, 8);
    assert_int_equal(close_code(house), 1011);
    assert_int_equal(house->engine.drops, 1);
    free(token);
    peer_destroy(native);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(a_quiet_client_that_answers_pings_stays),
        GATEWAY_TEST(a_client_that_says_nothing_is_closed),
        GATEWAY_TEST(who_asks_for_pings_of_its_own_gets_them),
        GATEWAY_TEST(commands_are_answered_to_the_letter),
        GATEWAY_TEST(what_is_no_message_ends_the_connection),
        GATEWAY_TEST(a_connect_that_is_refused_says_why),
        GATEWAY_TEST(without_a_token_it_is_4401),
        GATEWAY_TEST(nothing_is_read_before_connected),
        GATEWAY_TEST(connected_names_the_rooms_and_why_nothing_was_recovered),
        GATEWAY_TEST(a_directory_that_fails_closes_for_a_return),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

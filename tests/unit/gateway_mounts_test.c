/* Mounts and namespaces in a whole gateway, over real sockets: several on one port, what
 * a client may connect to, what each session has of its own, and what a reload leaves. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/system_house.h"

/* A machine under load answers pings late. */
#define PATIENT "mounts: [{path: /socket.io/, ping_timeout: 1h, connect_timeout: 1h}]\n"

static const char open_to_all[] = PATIENT
    "auth: {mode: none}\n"
    "connect: {emit: [{event: auth, payload: '{auth}'}]}\n"
    "namespaces:\n"
    "  /: {recovery: off}\n"
    "  /ws: {alias: /}\n"
    "  /custom: {recovery: off, commands: []}\n"
    "  /auth: {refuse: {message: Not authorized, data: {code: E_UNAUTH}}}\n"
    "commands:\n"
    "  back: {do: reply, event: back, args: '{args[]}'}\n"
    "  how: {do: ack, args: ['{conn.transport}', '{auth.name}']}\n"
    "  join: {do: join, room: '{args.0}', allow: ['**']}\n"
    "  say: {do: relay, room: '{args.0}', as: said, args: '{args[1..]}', member: false, "
    "except_self: false}\n";

static struct ws_peer *open_at(struct house *house, const char *path)
{
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    char target[200];

    snprintf(target, sizeof target, "%s?EIO=4&transport=websocket", path);
    assert_int_equal(peer_upgrade(peer, target, ""), 101);
    assert_starts(READ(house, peer), "0{\"sid\":\"AB");
    return peer;
}

/* The next message, heartbeats answered. */
static const char *heard(struct house *house, struct ws_peer *peer)
{
    while (strcmp(READ(house, peer), "2") == 0)
        peer_send(peer, 1, "3");
    return house->text;
}

static void hears(struct house *house, struct ws_peer *peer, const char *expected)
{
    assert_string_equal(heard(house, peer), expected);
}

static void connects(struct house *house, struct ws_peer *peer, const char *connect,
                     const char *answer)
{
    peer_send(peer, 1, connect);
    assert_starts(heard(house, peer), answer);
}

/* --- mounts --- */

static void each_mount_has_its_own_pace(void **state)
{
    static const char yaml[] = "mounts:\n"
                               "  - {path: [/socket.io/, /ws/socket.io/]}\n"
                               "  - {path: /engine.io/, dialect: echo, ping_interval: "
                               "120ms, ping_timeout: 70ms, max_message_size: 1000B}\n";
    static const struct {
        const char *path, *pace;
    } rows[] = {
        {"/engine.io/",
         "\"upgrades\":[],\"pingInterval\":120,\"pingTimeout\":70,\"maxPayload\":1000}" },
        {"/engine.io",
         "\"upgrades\":[],\"pingInterval\":120,\"pingTimeout\":70,\"maxPayload\":1000}" },
        {"/socket.io",
         "\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200,\"maxPayload\":4096}"},
        {"/ws/socket.io/x",
         "\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200,\"maxPayload\":4096}"},
    };
    struct house *house = *state;

    use_yaml(house, yaml);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_peer *peer = open_at(house, rows[i].path);
        if (!strstr(house->text, rows[i].pace))
            fail_msg("%s: %s", rows[i].path, house->text);
        peer_destroy(peer);
    }
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    assert_int_equal(peer_upgrade(peer, "/ws", ""), 404); /* not named any more */
    peer_destroy(peer);
}

static void an_echo_repeats_text_as_text_and_bytes_as_bytes(void **state)
{
    struct house *house = *state;

    use_yaml(house, "mounts: [{path: /engine.io/, dialect: echo, ping_timeout: 1h, "
                    "max_message_size: 10B}]");
    struct ws_peer *peer = open_at(house, "/engine.io/");
    peer_send(peer, 1, "4hello");
    hears(house, peer, "4hello");
    assert_int_equal(peer->opcode, 1);
    peer_send(peer, 1, "4");
    hears(house, peer, "4");
    peer_send(peer, 2, "\1\2\3");
    hears(house, peer, "\1\2\3");
    assert_int_equal(peer->opcode, 2);
    peer_send(peer, 1, "bAQID"); /* a binary message in a text frame */
    hears(house, peer, "\1\2\3");
    assert_int_equal(peer->opcode, 2);
    peer_send(peer, 1, "4more than ten");
    heard(house, peer);
    assert_int_equal(peer->opcode, 8);
    assert_int_equal(close_code(house), 1009);
    peer_destroy(peer);
}

static void a_switch_takes_a_dialect_away(void **state)
{
    struct house *house = *state;

    house->settings.socketio = CONFIG_OFF;
    use_yaml(house, "{}");
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    assert_int_equal(peer_upgrade(peer, "/socket.io/?EIO=4&transport=websocket", ""),
                     404);
    peer_destroy(peer);
    peer_destroy(join_native(house, "ada", "[]"));
}

static void a_transport_may_be_left_out(void **state)
{
    struct house *house = *state;
    struct ws_peer *peer = peer_create(&house->loop, house->port);

    use_yaml(house, "mounts: [{path: /socket.io/, transports: [polling]}]");
    assert_int_equal(peer_upgrade(peer, "/socket.io/?EIO=4&transport=websocket", ""),
                     400);
    peer_destroy(peer);
}

/* --- namespaces --- */

static void only_what_is_declared_is_there(void **state)
{
    static const char *const rows[][2] = {
        {"40/x,",                       "44/x,{\"message\":\"Invalid namespace\"}"         },
        {"40/custom/,",                 "44/custom/,{\"message\":\"Invalid namespace\"}"   },
        {"40/custom?a=b",               "44/custom?a=b,{\"message\":\"Invalid namespace\"}"},
        {"40/auth,",
         "44/auth,{\"message\":\"Not authorized\",\"data\":{\"code\":\"E_UNAUTH\"}}"       },
        {"40/auth,{\"token\":\"any\"}",
         "44/auth,{\"message\":\"Not authorized\",\"data\":{\"code\":\"E_UNAUTH\"}}"       },
    };
    struct house *house = *state;

    use_yaml(house, open_to_all);
    struct ws_peer *peer = open_at(house, "/socket.io/");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        peer_send(peer, 1, rows[i][0]);
        hears(house, peer, rows[i][1]);
    }
    connects(house, peer, "40/custom,{\"a\":1}", "40/custom,{\"sid\":\"");
    hears(house, peer, "42/custom,[\"auth\",{\"a\":1}]");
    connects(house, peer, "40", "40{\"sid\":\"");
    hears(house, peer, "42[\"auth\",{}]");
    peer_destroy(peer);
}

static void a_command_works_where_the_file_says(void **state)
{
    struct house *house = *state;

    use_yaml(house, open_to_all);
    struct ws_peer *peer = open_at(house, "/socket.io/");
    connects(house, peer, "40/custom", "40/custom,");
    hears(house, peer, "42/custom,[\"auth\",{}]");
    peer_send(peer, 1, "42/custom,1[\"back\",1]");
    hears(house, peer,
          "43/custom,1[{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\",\"message\":\"nothing "
          "here handles this event\"}]");
    connects(house, peer, "40/ws,{\"name\":\"ada\"}", "40/ws,");
    hears(house, peer, "42/ws,[\"auth\",{\"name\":\"ada\"}]");
    peer_send(peer, 1, "42/ws,[\"back\",1]");
    hears(house, peer, "42/ws,[\"back\",1]");
    peer_send(peer, 1, "42/ws,2[\"how\"]");
    hears(house, peer, "43/ws,2[\"websocket\",\"ada\"]");
    peer_destroy(peer);
}

static void an_event_reaches_every_name_of_its_namespace(void **state)
{
    struct house *house = *state;

    use_yaml(house, open_to_all);
    struct ws_peer *both = open_at(house, "/socket.io/");
    struct ws_peer *custom = open_at(house, "/socket.io/");
    connects(house, both, "40", "40{");
    hears(house, both, "42[\"auth\",{}]");
    connects(house, both, "40/ws", "40/ws,");
    hears(house, both, "42/ws,[\"auth\",{}]");
    connects(house, custom, "40/custom", "40/custom,");
    hears(house, custom, "42/custom,[\"auth\",{}]");

    emit_in(house, "/", ROOM_ALL, "", "1", false);
    /* Members are walked from the last one that joined. */
    hears(house, both, "42/ws,[\"hello\",1]");
    hears(house, both, "42[\"hello\",1]");
    emit_in(house, "/custom", ROOM_ALL, "", "2", false);
    hears(house, custom, "42/custom,[\"hello\",2]");

    /* One of them leaves; the other one stays. */
    peer_send(both, 1, "41/ws,");
    peer_send(both, 1, "42[\"back\"]");
    hears(house, both, "42[\"back\"]");
    emit_in(house, "/", ROOM_ALL, "", "3", false);
    hears(house, both, "42[\"hello\",3]");
    connects(house, both, "40/ws", "40/ws,{\"sid\":\"");
    peer_destroy(both);
    peer_destroy(custom);
}

static void rooms_are_each_namespaces_own(void **state)
{
    static const char yaml[] =
        PATIENT "auth: {mode: none}\n"
                "namespaces: {/a: {recovery: off}, /b: {recovery: off}}\n"
                "commands: {join: {do: join, room: '{args.0}', allow: ['**']}}\n";
    struct house *house = *state;
    struct envelope_target target = {ROOM_NAMED, SLICE("r")};
    const struct envelope kick = {.kind = ENVELOPE_CONTROL_DISCONNECT,
                                  .id = SLICE("k"),
                                  .nsp = SLICE("/b"),
                                  .event = SLICE("kick"),
                                  .event_json = SLICE("\"kick\""),
                                  .targets = &target,
                                  .target_count = 1};

    use_yaml(house, yaml);
    struct ws_peer *peer = open_at(house, "/socket.io/");
    connects(house, peer, "40/a,", "40/a,{");
    connects(house, peer, "40/b,", "40/b,{");
    peer_send(peer, 1, "42/a,1[\"join\",\"r\"]");
    hears(house, peer, "43/a,1[{\"ok\":true,\"room\":\"r\"}]");
    emit_in(house, "/a", ROOM_NAMED, "r", "1", false);
    hears(house, peer, "42/a,[\"hello\",1]");
    emit_in(house, "/b", ROOM_NAMED, "r", "1", false);
    peer_send(peer, 1, "42/b,2[\"join\",\"r\"]");
    hears(house, peer, "43/b,2[{\"ok\":true,\"room\":\"r\"}]"); /* and not the event */
    emit_in(house, "/b", ROOM_NAMED, "r", "1", false);
    hears(house, peer, "42/b,[\"hello\",1]");

    /* A word of an administrator ends what it names, and no more. */
    fake_engine_emit(&house->engine, &kick, false);
    hears(house, peer, "41/b,");
    emit_in(house, "/a", ROOM_NAMED, "r", "1", false);
    hears(house, peer, "42/a,[\"hello\",1]");
    peer_destroy(peer);
}

static void who_comes_and_goes_all_the_time_is_sent_away(void **state)
{
    struct house *house = *state;
    int connects = 0;

    use_yaml(house, open_to_all);
    struct ws_peer *peer = open_at(house, "/socket.io/");
    for (; connects < 1000 && !peer->is_closed; connects++) {
        peer_send(peer, 1, "40/auth,");
        if (heard(house, peer)[0] != '4')
            break;
    }
    assert_int_equal(close_code(house), 4429);
    assert_in_range(connects, 128, 999); /* some come back while it goes on */
    peer_destroy(peer);
}

static void the_native_dialect_lives_in_the_root(void **state)
{
    struct house *house = *state;

    use_yaml(house, "namespaces: {/: {refuse: {message: Gone}}, /a: {recovery: off}}");
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    char *token = mint(house, "ada", "[]", 60);
    char target[2048];

    snprintf(target, sizeof target, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(peer, target, ""), 101);
    hears(house, peer,
          "{\"t\":\"error\",\"code\":\"E_FORBIDDEN\",\"message\":\"Gone\",\"reason\":"
          "\"forbidden\"}");
    heard(house, peer);
    assert_int_equal(close_code(house), 4403);
    free(token);
    peer_destroy(peer);
}

/* --- what is late --- */

static void the_connect_timeout_ends_with_the_first_namespace(void **state)
{
    struct house *house = *state;

    use_yaml(house,
             "mounts: [{path: /socket.io/, ping_timeout: 1h, connect_timeout: 600ms}]\n"
             "auth: {mode: none}\n"
             "namespaces: {/custom: {recovery: off}, /auth: {refuse: {}}}\n");
    struct ws_peer *refused = open_at(house, "/socket.io/");
    struct ws_peer *left = open_at(house, "/socket.io/");
    connects(house, refused, "40/auth,", "44/auth,");
    connects(house, left, "40/custom,", "40/custom,");
    peer_send(left, 1, "41/custom,");

    /* Refused ones do not count. */
    heard(house, refused);
    assert_int_equal(refused->opcode, 8);
    assert_int_equal(close_code(house), 4408);
    /* There is no second one after the last namespace was left. */
    for (int beat = 0; beat < 2; beat++) {
        assert_string_equal(READ(house, left), "2");
        peer_send(left, 1, "3");
    }
    connects(house, left, "40/custom,", "40/custom,");
    peer_destroy(refused);
    peer_destroy(left);
}

static const char by_event[] =
    PATIENT "auth:\n"
            "  mode: event\n"
            "  event: {name: auth, token: '{args.0}', timeout: 500ms, "
            "ok: welcome, error: sorry}\n"
            "namespaces: {/a: {recovery: off}, /b: {recovery: off}}\n";

static void each_session_has_its_own_time_to_say_who_it_is(void **state)
{
    struct house *house = *state;
    char *token = mint(house, "ada", "[]", 60);
    char text[2048];

    use_yaml(house, by_event);
    struct ws_peer *peer = open_at(house, "/socket.io/");
    connects(house, peer, "40/a,", "40/a,{");
    connects(house, peer, "40/b,", "40/b,{");
    snprintf(text, sizeof text, "42/a,[\"auth\",\"%s\"]", token);
    peer_send(peer, 1, text);
    hears(house, peer, "42/a,[\"welcome\"]");
    /* The one that is somebody does not save the other one, which does not end it. */
    hears(house, peer, "42/b,[\"sorry\"]");
    hears(house, peer, "41/b,");
    assert_string_equal(READ(house, peer), "2");
    peer_send(peer, 1, "3");
    snprintf(text, sizeof text, "42/a,7[\"auth:refresh\",{\"token\":\"%s\"}]", token);
    connects(house, peer, text, "43/a,7[{\"ok\":true");
    free(token);
    peer_destroy(peer);
}

static void each_session_has_its_own_end(void **state)
{
    struct house *house = *state;
    char *brief = mint(house, "ada", "[]", 2);
    char *longer = mint(house, "ada", "[]", 60);
    char text[2048];

    use_yaml(house, PATIENT "auth: {expiry: {emit: over, then: disconnect}}\n"
                            "namespaces: {/a: {recovery: off}, /b: {recovery: off}}\n");
    struct ws_peer *peer = open_at(house, "/socket.io/");
    snprintf(text, sizeof text, "40/a,{\"token\":\"%s\"}", brief);
    connects(house, peer, text, "40/a,{");
    snprintf(text, sizeof text, "40/b,{\"token\":\"%s\"}", longer);
    connects(house, peer, text, "40/b,{");
    hears(house, peer, "42/a,[\"over\"]");
    hears(house, peer, "41/a,");
    peer_send(peer, 1, "42/b,1[\"subscribe\",{}]");
    assert_starts(heard(house, peer), "43/b,1[{\"ok\":false");
    free(brief);
    free(longer);
    peer_destroy(peer);
}

/* --- two names of one namespace --- */

static const char by_token[] =
    PATIENT "namespaces: {/: {recovery: off}, /ws: {alias: /}}\n";

/* One that reads nothing more than its answers; gives the sid that it has in "/". */
static struct ws_peer *open_both(struct house *house, const char *user,
                                 char sid[LIMIT_SIO_SID_BYTES + 1])
{
    struct ws_peer *peer = open_at(house, "/socket.io/");
    char *token = mint(house, user, "[]", 60);
    char text[2048];

    setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    snprintf(text, sizeof text, "40{\"token\":\"%s\"}", token);
    connects(house, peer, text, "40{\"sid\":\"");
    snprintf(sid, LIMIT_SIO_SID_BYTES + 1, "%s", house->text + strlen("40{\"sid\":\""));
    snprintf(text, sizeof text, "40/ws,{\"token\":\"%s\"}", token);
    connects(house, peer, text, "40/ws,{");
    free(token);
    return peer;
}

static int64_t counted(const struct house *house, enum metric metric)
{
    return atomic_load(&house->metrics.values[metric]);
}

static void expect_balance(const struct house *house)
{
    int64_t sum = counted(house, METRIC_DELIVERIES);

    for (int i = METRIC_WAIVED_REPEATED; i <= METRIC_WAIVED_NO_MEMORY; i++)
        sum += counted(house, i);
    assert_int_equal(sum, counted(house, METRIC_ADDRESSED));
}

/* Which of both meets the ceiling is a matter of how many frames wait. */
static void who_reads_nothing_under_two_names_doubles_nothing(void **state)
{
    static char data[20000];
    struct house *house = *state;
    char sid[LIMIT_SIO_SID_BYTES + 1];

    use_yaml(house, by_token);
    memset(data, 'x', sizeof data - 1);
    data[0] = data[sizeof data - 2] = '"';
    for (int odd = 0; odd < 2; odd++) {
        struct ws_peer *slow = open_both(house, "ada", sid);
        struct ws_peer *other = join_socketio(house, "bob", "[]");
        int64_t closed = counted(house, METRIC_SLOW_CONSUMERS) + 1;
        int count = 0;
        if (odd)
            emit(house, ROOM_SOCKET, sid, data, false);
        for (; counted(house, METRIC_SLOW_CONSUMERS) < closed && count < 4000; count++) {
            char number[12];
            snprintf(number, sizeof number, "%05d", count);
            memcpy(data + 1, number, 5);
            emit(house, ROOM_ALL, "", data, false);
            assert_starts(heard(house, other), "42[\"hello\",\"");
            assert_memory_equal(house->text + strlen("42[\"hello\",\""), number, 5);
        }
        assert_int_equal(counted(house, METRIC_SLOW_CONSUMERS), closed);
        emit(house, ROOM_ALL, "", "\"last\"", false);
        hears(house, other, "42[\"hello\",\"last\"]");
        assert_int_equal(counted(house, METRIC_SESSIONS), 1);
        expect_balance(house);
        peer_destroy(slow);
        peer_destroy(other);
        while (counted(house, METRIC_CONNECTIONS) > 0)
            uv_run(&house->loop, UV_RUN_ONCE);
    }
}

/* The room goes with its last member. */
static void who_reads_nothing_under_two_names_takes_its_own_room_along(void **state)
{
    static char data[20000];
    struct house *house = *state;
    char sid[LIMIT_SIO_SID_BYTES + 1];

    use_yaml(house, by_token);
    memset(data, 'x', sizeof data - 1);
    data[0] = data[sizeof data - 2] = '"';
    for (int odd = 0; odd < 2; odd++) {
        struct ws_peer *slow = open_both(house, "ada", sid);
        int64_t closed = counted(house, METRIC_SLOW_CONSUMERS) + 1;
        if (odd)
            emit(house, ROOM_SOCKET, sid, data, false);
        for (int i = 0; counted(house, METRIC_SLOW_CONSUMERS) < closed && i < 4000; i++)
            emit(house, ROOM_USER, "ada", data, false);
        assert_int_equal(counted(house, METRIC_SLOW_CONSUMERS), closed);
        assert_int_equal(counted(house, METRIC_SESSIONS), 0);
        assert_int_equal(counted(house, METRIC_USERS), 0);
        expect_balance(house);
        peer_destroy(slow);
    }
}

/* --- reloads --- */

static void a_reload_leaves_living_connections_as_they_are(void **state)
{
    struct house *house = *state;

    use_yaml(house, open_to_all);
    struct ws_peer *old = open_at(house, "/socket.io/");
    connects(house, old, "40/custom,", "40/custom,{");
    hears(house, old, "42/custom,[\"auth\",{}]");
    connects(house, old, "40/ws,", "40/ws,{");
    hears(house, old, "42/ws,[\"auth\",{}]");

    use_yaml(house,
             "auth: {mode: none}\n"
             "mounts: [{path: /new/, max_message_size: 50B}]\n"
             "namespaces: {/: {recovery: off}, /ws: {recovery: off}, /new: {alias: /}}\n"
             "commands: {back: {do: reply, event: back, args: '{args[]}'}}\n");
    /* Who is in keeps its namespace and the name it has for it, and hears of it. */
    emit_in(house, "/", ROOM_ALL, "", "1", false);
    hears(house, old, "42/ws,[\"hello\",1]");
    emit_in(house, "/custom", ROOM_ALL, "", "1", false);
    hears(house, old, "42/custom,[\"hello\",1]");
    /* Commands are those of the new file: none in a namespace that it does not have. */
    peer_send(old, 1, "42/ws,[\"back\",2]");
    hears(house, old, "42/ws,[\"back\",2]");
    peer_send(old, 1, "42/custom,1[\"back\",2]");
    assert_starts(heard(house, old), "43/custom,1[{\"ok\":false");
    /* Its mount is the one that it came in by: a message of more than 50 bytes. */
    peer_send(old, 1,
              "42/ws,[\"back\",\"a text that is much longer than the fifty bytes of the "
              "new mount\"]");
    assert_starts(heard(house, old), "42/ws,[\"back\",\"a text that is");
    /* What it connects to from now on is what the new file says. */
    peer_send(old, 1, "41/custom,");
    connects(house, old, "40/custom,", "44/custom,{\"message\":\"Invalid namespace\"}");
    connects(house, old, "40/new,", "40/new,{");

    /* So is everything for who comes now. */
    struct ws_peer *late = peer_create(&house->loop, house->port);
    assert_int_equal(peer_upgrade(late, "/socket.io/?EIO=4&transport=websocket", ""),
                     404);
    peer_destroy(late);
    late = open_at(house, "/new/");
    connects(house, late, "40/ws,", "40/ws,{");
    emit_in(house, "/", ROOM_ALL, "", "1", false);
    hears(house, old, "42/new,[\"hello\",1]");
    hears(house, old, "42/ws,[\"hello\",1]");
    /* The new /ws is a namespace of its own. */
    emit_in(house, "/ws", ROOM_ALL, "", "3", false);
    hears(house, late, "42/ws,[\"hello\",3]");
    peer_destroy(late);
    peer_destroy(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(each_mount_has_its_own_pace),
        GATEWAY_TEST(an_echo_repeats_text_as_text_and_bytes_as_bytes),
        GATEWAY_TEST(a_switch_takes_a_dialect_away),
        GATEWAY_TEST(a_transport_may_be_left_out),
        GATEWAY_TEST(only_what_is_declared_is_there),
        GATEWAY_TEST(a_command_works_where_the_file_says),
        GATEWAY_TEST(an_event_reaches_every_name_of_its_namespace),
        GATEWAY_TEST(rooms_are_each_namespaces_own),
        GATEWAY_TEST(who_comes_and_goes_all_the_time_is_sent_away),
        GATEWAY_TEST(the_native_dialect_lives_in_the_root),
        GATEWAY_TEST(the_connect_timeout_ends_with_the_first_namespace),
        GATEWAY_TEST(each_session_has_its_own_time_to_say_who_it_is),
        GATEWAY_TEST(each_session_has_its_own_end),
        GATEWAY_TEST(who_reads_nothing_under_two_names_doubles_nothing),
        GATEWAY_TEST(who_reads_nothing_under_two_names_takes_its_own_room_along),
        GATEWAY_TEST(a_reload_leaves_living_connections_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who a client of a gateway is: sources, refusals, welcome, events, refreshes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/heard.h"

/* Writes `pattern` with the token for its "@". */
static void fill(char *out, size_t room, const char *pattern, const char *token)
{
    struct slice head, rest;
    bool has_token = slice_cut(slice_of(pattern), '@', &head, &rest);

    snprintf(out, room, "%.*s%s%.*s", (int)head.len, head.ptr, has_token ? token : "",
             (int)rest.len, rest.len ? rest.ptr : "");
}

static void tokens_come_from_the_sources_of_the_file(void **state)
{
    struct house *house = *state;
    char *token = mint_claims(house, "\"sub\":\"ada\"", 60);
    char text[2048];

    use_yaml(house,
             "auth: {from: [cookie.sid, header, auth.jwt, query.t], strip: 'JWT '}");
    static const struct {
        const char *query, *fields, *connect;
    } rows[] = {
        {"",     "Origin: http://localhost\r\nCookie: a=b; sid=@\r\n", "40{\"jwt\":\"bad\"}"  },
        {"",     "Authorization: Bearer @\r\n",                        "40"                   },
        {"",     "",                                                   "40{\"jwt\":\"@\"}"    },
        {"",     "",                                                   "40{\"jwt\":\"jwt @\"}"},
        {"&t=@", "",                                                   "40{\"token\":\"bad\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char query[2048], fields[2048];
        fill(query, sizeof query, rows[i].query, token);
        fill(fields, sizeof fields, rows[i].fields, token);
        fill(text, sizeof text, rows[i].connect, token);
        struct ws_peer *io = open_io(house, query, fields);
        peer_send(io, 1, text);
        assert_starts(heard(house, io), "40{\"sid\":\"");
        peer_destroy(io);
    }
    struct ws_peer *io = open_io(house, "&token=x", "");
    peer_send(io, 1, "40{\"token\":\"x\"}");
    assert_starts(heard(house, io), "44{\"message\":\"Authentication required\",");
    peer_destroy(io);
    free(token);
}

static void the_refused_are_told_in_the_systems_words(void **state)
{
    static const struct {
        const char *members;
        int64_t ttl_s;
        const char *answer;
    } rows[] = {
        {"\"id\":7,\"type\":\"access\"",      -5,
         "44{\"message\":\"too "
         "late\",\"data\":{\"code\":\"E_UNAUTH\",\"reason\":\"expired\","},
        {"\"id\":7,\"type\":\"refresh\"",     60,
         "44{\"message\":\"unauth\",\"data\":{\"code\":\"E_FORBIDDEN\",\"reason\":"
         "\"forbidden\","                                                },
        {"\"sub\":\"x\",\"type\":\"access\"", 60,
         "44{\"message\":\"unauth\",\"data\":{\"code\":\"E_UNAUTH\",\"reason\":"
         "\"invalid\","                                                  },
    };
    struct house *house = *state;

    use_yaml(house, "auth:\n"
                    "  require: {type: access}\n"
                    "  user: '{claims.id}'\n"
                    "  refusal: {'*': unauth, expired: too late}\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_peer *io = connect_io(house, rows[i].members, rows[i].ttl_s);
        assert_starts(house->text, rows[i].answer);
        peer_destroy(io);
    }
    use_yaml(house, "auth: {refusal: {'*': no}, refusal_data: {type: '{code}'}}");
    struct ws_peer *io = connect_io(house, "\"sub\":\"x\"", -5);
    assert_string_equal(house->text,
                        "44{\"message\":\"no\",\"data\":{\"type\":\"E_UNAUTH\"}}");
    peer_destroy(io);
}

static void a_client_is_put_into_rooms_and_greeted(void **state)
{
    struct house *house = *state;

    use_yaml(house,
             "auth: {user: '{claims.id}', data: {role: '{claims.role}'}}\n"
             "connect:\n"
             "  auto_join: ['user:{user.id}', all, 'p:{claims.ps[]}']\n"
             "  emit:\n"
             "    - {event: welcome, payload: {user: '{user}', at: '{conn.transport}'}}\n"
             "    - {event: lost, payload: '{claims.none}'}\n"
             "    - {event: ready, payload: '{auth.x}'}\n");
    struct ws_peer *io = open_io(house, "", "");
    char *token = mint_claims(house, "\"id\":7,\"role\":\"a\",\"ps\":[1,\"b\"]", 60);
    char connect[2048];

    snprintf(connect, sizeof connect, "40{\"token\":\"%s\",\"x\":[1]}", token);
    peer_send(io, 1, connect);
    assert_starts(heard(house, io), "40{\"sid\":\"");
    assert_string_equal(house->engine.last_rooms, "all,p:1,p:b,");
    assert_int_equal(house->engine.puts, 1);
    assert_hears(house, io,
                 "42[\"welcome\",{\"user\":{\"id\":\"7\",\"role\":\"a\"},"
                 "\"at\":\"websocket\"}]");
    assert_hears(house, io, "42[\"ready\",[1]]");
    emit(house, ROOM_NAMED, "p:b", "1", false);
    assert_hears(house, io, "42[\"hello\",1]");
    emit(house, ROOM_USER, "7", "2", false);
    assert_hears(house, io, "42[\"hello\",2]");
    peer_destroy(io);
    free(token);
}

static void who_cannot_be_put_into_rooms_is_refused(void **state)
{
    static const char *const members[] = {
        "\"sub\":\"x\"", "\"sub\":\"x\",\"ps\":[\"a:b\"]", "\"sub\":\"x\",\"ps\":\"*\""};
    struct house *house = *state;

    use_yaml(house, "connect: {auto_join: ['p:{claims.ps[]}']}");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct ws_peer *io = connect_io(house, members[i], 60);
        assert_starts(house->text,
                      "44{\"message\":\"Invalid token\",\"data\":{\"code\":"
                      "\"E_UNAUTH\",\"reason\":\"invalid\",\"hint\":\"Rooms");
        peer_destroy(io);
    }
    struct ws_peer *io = connect_io(house, "\"sub\":\"x\",\"ps\":[1,2,3,4]", 60);
    assert_starts(house->text, "44{\"message\":\"Not authorized\",\"data\":{\"code\":"
                               "\"E_LIMIT\",\"reason\":\"limit\"");
    peer_destroy(io);
    assert_int_equal(house->engine.puts, 0);
}

static void without_authentication_nobody_is_asked(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);
    struct ws_peer *io;

    use_yaml(house, "auth: {mode: none}\n"
                    "connect: {emit: [{event: auth, payload: '{auth}'}]}\n"
                    "rooms: [{match: 'open:*', allow: any}]\n");
    io = open_io(house, "", "");
    peer_send(io, 1, "40{\"token\":\"123\"}");
    assert_starts(heard(house, io), "40{\"sid\":\"");
    assert_hears(house, io, "42[\"auth\",{\"token\":\"123\"}]");
    peer_send(io, 1, "420[\"subscribe\",{\"room\":\"open:1\"}]");
    assert_hears(house, io, "430[{\"ok\":true,\"room\":\"open:1\"}]");
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"closed\"}]");
    assert_starts(heard(house, io), "431[{\"ok\":false,\"error\":\"E_FORBIDDEN\"");
    peer_destroy(io);
    assert_int_equal(peer_upgrade(native, "/ws", ""), 101);
    peer_send(native, 1, "{\"t\":\"connect\"}");
    assert_starts(heard(house, native), "{\"t\":\"connected\"");
    assert_non_null(strstr(house->text, "\"user\":null"));
    assert_starts(heard(house, native), "{\"t\":\"event\",\"event\":\"auth\"");
    peer_destroy(native);
}

/* --- by event --- */

static const char by_event[] =
    "auth:\n"
    "  mode: event\n"
    "  user: '{claims.id}'\n"
    "  strip: bearer\n"
    "  event:\n"
    "    name: auth\n"
    "    token: '{args.0.jwt}'\n"
    "    match: {claims.id: '{args.0.userId}'}\n"
    "    timeout: 500ms\n"
    "    ok: {event: auth_success, payload: {id: '{user.id}'}}\n"
    "    error: {event: auth_error, payload: {message: '{message}'}}\n"
    "connect: {auto_join: [all], emit: [hi]}\n";

static struct ws_peer *open_nobody(struct house *house)
{
    struct ws_peer *io = open_io(house, "", "");

    peer_send(io, 1, "40");
    assert_starts(heard(house, io), "40{\"sid\":\"");
    return io;
}

static void say_who(struct house *house, struct ws_peer *io, const char *head,
                    const char *members, const char *user, int64_t ttl_s)
{
    char *token = mint_claims(house, members, ttl_s);
    char text[2048];

    snprintf(text, sizeof text, "%s[\"auth\",{\"userId\":%s,\"jwt\":\"Bearer %s\"}]",
             head, user, token);
    peer_send(io, 1, text);
    free(token);
}

static void an_event_makes_nobody_somebody(void **state)
{
    struct house *house = *state;

    use_yaml(house, by_event);
    struct ws_peer *io = open_nobody(house);
    assert_int_equal(house->engine.puts, 0);
    emit(house, ROOM_ALL, "", "1", false);
    peer_send(io, 1, "427[\"subscribe\",{\"room\":\"x\"}]");
    assert_starts(heard(house, io), "437[{\"ok\":false,\"error\":\"E_UNAUTH\"");
    say_who(house, io, "428", "\"id\":42", "\"42\"", 60);
    assert_hears(house, io, "42[\"auth_success\",{\"id\":\"42\"}]");
    assert_hears(house, io, "438[{\"ok\":true}]");
    assert_hears(house, io, "42[\"hi\"]");
    assert_string_equal(house->engine.last_rooms, "all,");
    emit(house, ROOM_USER, "42", "2", false);
    assert_hears(house, io, "42[\"hello\",2]");
    peer_destroy(io);
}

static void a_bad_event_ends_the_connection(void **state)
{
    static const struct {
        const char *members;
        const char *user;
        int64_t ttl_s;
        const char *text;
        unsigned code;
    } rows[] = {
        {"\"id\":42", "\"43\"", 60, "Not authorized", 4403},
        {"\"id\":42", "42",     -5, "Token expired",  4401},
        {"\"id\":42", "{}",     60, "Not authorized", 4403},
        {"\"no\":42", "42",     60, "Invalid token",  4401},
    };
    struct house *house = *state;

    use_yaml(house, by_event);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_peer *io = open_nobody(house);
        char expected[128];
        say_who(house, io, "42", rows[i].members, rows[i].user, rows[i].ttl_s);
        snprintf(expected, sizeof expected, "42[\"auth_error\",{\"message\":\"%s\"}]",
                 rows[i].text);
        assert_hears(house, io, expected);
        assert_hears(house, io, "41");
        assert_ends(house, io, rows[i].code);
        peer_destroy(io);
    }
    assert_int_equal(house->engine.puts, 0);
}

/* Another session keeps the connection that each of them would end alone. */
static void ten_refused_events_end_the_connection(void **state)
{
    struct house *house = *state;

    use_yaml(house, "auth: {mode: event, event: {name: auth, token: '{args.0}'}}\n"
                    "namespaces: {/: {}, /b: {}}\n");
    struct ws_peer *io = open_nobody(house);
    for (int i = 0; i < 10; i++) {
        peer_send(io, 1, "40/b,");
        assert_starts(heard(house, io), "40/b,{\"sid\":\"");
        peer_send(io, 1, "42/b,[\"auth\",\"bad\"]");
        assert_hears(house, io, "41/b,");
    }
    assert_ends(house, io, 4401);
    peer_destroy(io);
}

static void who_says_nothing_is_sent_away(void **state)
{
    struct house *house = *state;

    use_yaml(house, by_event);
    struct ws_peer *io = open_nobody(house);
    assert_hears(house, io,
                 "42[\"auth_error\",{\"message\":\"Authentication required\"}]");
    assert_hears(house, io, "41");
    assert_ends(house, io, 4401);
    peer_destroy(io);
}

/* --- rooms --- */

static void ask(struct house *house, struct ws_peer *io, const char *command,
                const char *member, const char *value, const char *answer)
{
    char text[2048];

    snprintf(text, sizeof text, "429[\"%s\",{\"%s\":\"%s\"}]", command, member, value);
    peer_send(io, 1, text);
    assert_starts(heard(house, io), answer);
}

static void a_newer_token_takes_and_gives_rooms(void **state)
{
    struct house *house = *state;

    use_yaml(house, "rooms: [{match: admin, allow: claim, require: {role: admin}}]\n"
                    "connect: {auto_join: ['team:{claims.team}']}\n");
    struct ws_peer *io = connect_io(
        house, "\"sub\":\"ada\",\"role\":\"admin\",\"team\":\"red\",\"rooms\":[\"x\"]",
        60);
    ask(house, io, "subscribe", "room", "admin", "439[{\"ok\":true");
    ask(house, io, "subscribe", "room", "x", "439[{\"ok\":true");
    assert_string_equal(house->engine.last_rooms, "team:red,admin,x,");
    char *token = mint_claims(
        house, "\"sub\":\"ada\",\"role\":\"user\",\"team\":\"blue\",\"rooms\":[\"x\"]",
        60);
    ask(house, io, "auth:refresh", "token", token, "439[{\"ok\":true");
    assert_string_equal(house->engine.last_rooms, "x,team:blue,");
    emit(house, ROOM_NAMED, "admin", "1", false);
    emit(house, ROOM_NAMED, "team:red", "2", false);
    emit(house, ROOM_NAMED, "team:blue", "3", false);
    assert_hears(house, io, "42[\"hello\",3]");
    free(token);
    token = mint_claims(house, "\"sub\":\"eve\",\"team\":\"blue\"", 60);
    ask(house, io, "auth:refresh", "token", token,
        "439[{\"ok\":false,\"error\":\"E_FORB");
    free(token);
    token = mint_claims(house, "\"sub\":\"ada\"", 60);
    ask(house, io, "auth:refresh", "token", token,
        "439[{\"ok\":false,\"error\":\"E_UNAU");
    free(token);
    assert_string_equal(house->engine.last_rooms, "x,team:blue,");
    peer_destroy(io);
}

static void a_command_of_elsewhere_keeps_nobody_in_a_room(void **state)
{
    struct house *house = *state;

    use_yaml(house, "namespaces: {/: {commands: [subscribe, renew, near]}, /staff: {}}\n"
                    "commands:\n"
                    "  subscribe: {do: join, room: '{args.0.room}'}\n"
                    "  renew: {do: refresh}\n"
                    "  near: {do: join, room: 'near:{args.0.id}', allow: ['**']}\n"
                    "  open: {do: join, room: '{args.0.room}', allow: ['project:*']}\n");
    struct ws_peer *io =
        connect_io(house, "\"sub\":\"ada\",\"rooms\":[\"project:7\"]", 60);
    ask(house, io, "subscribe", "room", "project:7", "439[{\"ok\":true");
    ask(house, io, "near", "id", "1", "439[{\"ok\":true");
    char *token = mint_claims(house, "\"sub\":\"ada\",\"rooms\":[]", 60);
    ask(house, io, "renew", "token", token, "439[{\"ok\":true");
    assert_string_equal(house->engine.last_rooms, "near:1,");
    free(token);
    peer_destroy(io);
}

static void a_reload_that_first_asks_for_claims_finds_those_of_who_is_here(void **state)
{
    struct house *house = *state;

    use_yaml(house, "{}");
    struct ws_peer *admin = connect_io(house, "\"sub\":\"ada\",\"role\":\"admin\"", 60);
    struct ws_peer *user = connect_io(house, "\"sub\":\"eve\",\"role\":\"user\"", 60);
    ask(house, admin, "subscribe", "room", "admin", "439[{\"ok\":false");
    use_yaml(house, "rooms: [{match: admin, allow: claim, require: {role: admin}}]\n"
                    "commands:\n"
                    "  subscribe: {do: join, room: '{args.0.room}'}\n"
                    "  who: {do: ack, payload: '{claims.role}'}\n");
    ask(house, admin, "subscribe", "room", "admin", "439[{\"ok\":true");
    ask(house, user, "subscribe", "room", "admin", "439[{\"ok\":false");
    ask(house, user, "who", "x", "", "439[\"user\"]");
    peer_destroy(admin);
    peer_destroy(user);
}

#define LONG_NAME                                                                        \
    "a-long-name:0123456789:0123456789:0123456789:0123456789:0123456789:0123456789"

static int open_many_rooms(void **state)
{
    struct config_gateway settings = house_settings;
    struct config_limits limits = house_limits;

    settings.max_message_bytes = 1024;
    limits.rooms_per_socket = 100;
    return open_house_by(
        state, &settings, &limits,
        system_of("connect: {auto_join: ['" LONG_NAME ":{claims.in[]}']}"));
}

/* However many there are, and however short its own messages must be. */
static void a_native_client_is_told_of_all_its_rooms(void **state)
{
    enum {
        ROOMS = 80
    };
    struct house *house = *state;
    struct ws_peer *native = peer_create(&house->loop, house->port);
    char members[1024], text[2048];
    int len = snprintf(members, sizeof members, "\"sub\":\"ada\",\"in\":[0");

    for (int i = 1; i < ROOMS; i++)
        len += snprintf(members + len, sizeof members - (size_t)len, ",%d", i);
    snprintf(members + len, sizeof members - (size_t)len, "]");
    char *token = mint_claims(house, members, 60);
    snprintf(text, sizeof text, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(native, text, ""), 101);
    assert_starts(READ(house, native), "{\"t\":\"connected\"");
    for (int i = 0; i < ROOMS; i++) {
        snprintf(text, sizeof text, "\"" LONG_NAME ":%d\"", i);
        if (!strstr(house->text, text))
            fail_msg("no %s", text);
    }
    peer_destroy(native);
    free(token);
}

static void a_room_has_as_many_members_as_its_row_says(void **state)
{
    struct house *house = *state;

    use_yaml(house, "rooms: [{match: 'duel:*', allow: any, max_members: 2}]");
    struct ws_peer *a = connect_io(house, "\"sub\":\"a\"", 60);
    struct ws_peer *b = connect_io(house, "\"sub\":\"b\"", 60);
    struct ws_peer *c = connect_io(house, "\"sub\":\"c\"", 60);
    ask(house, a, "subscribe", "room", "duel:1", "439[{\"ok\":true");
    ask(house, b, "subscribe", "room", "duel:1", "439[{\"ok\":true");
    ask(house, c, "subscribe", "room", "duel:1", "439[{\"ok\":false,\"error\":\"E_LIMIT");
    ask(house, c, "subscribe", "room", "duel:2", "439[{\"ok\":true");
    ask(house, a, "unsubscribe", "room", "duel:1", "439[{\"ok\":true");
    ask(house, c, "subscribe", "room", "duel:1", "439[{\"ok\":true");
    peer_destroy(a);
    peer_destroy(b);
    peer_destroy(c);
}

static void a_commands_own_list_decides_where_it_is_given(void **state)
{
    struct house *house = *state;

    use_yaml(house,
             "rooms: [{match: 'a:*', allow: none}, {match: 'b:*', allow: any}]\n"
             "commands:\n"
             "  own: {do: join, room: '{args.0.room}', allow: ['a:{claims.sub}']}\n"
             "  any: {do: join, room: '{args.0.room}'}\n"
             "  renew: {do: refresh}\n");
    struct ws_peer *io =
        connect_io(house, "\"sub\":\"ada\",\"rooms\":[\"a:**\",\"c\"]", 60);
    ask(house, io, "own", "room", "a:ada", "439[{\"ok\":true");
    ask(house, io, "own", "room", "a:eve", "439[{\"ok\":false,\"error\":\"E_FORBIDDEN");
    ask(house, io, "own", "room", "b:1", "439[{\"ok\":false,\"error\":\"E_FORBIDDEN");
    ask(house, io, "own", "room", "c", "439[{\"ok\":false,\"error\":\"E_FORBIDDEN");
    ask(house, io, "any", "room", "a:ada", "439[{\"ok\":false,\"error\":\"E_FORBIDDEN");
    ask(house, io, "any", "room", "b:1", "439[{\"ok\":true");
    ask(house, io, "any", "room", "c", "439[{\"ok\":true");
    char *token = mint_claims(house, "\"sub\":\"ada\"", 60);
    ask(house, io, "renew", "token", token, "439[{\"ok\":true");
    assert_string_equal(house->engine.last_rooms, "a:ada,b:1,");
    free(token);
    peer_destroy(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(tokens_come_from_the_sources_of_the_file),
        GATEWAY_TEST(the_refused_are_told_in_the_systems_words),
        GATEWAY_TEST(a_client_is_put_into_rooms_and_greeted),
        GATEWAY_TEST(who_cannot_be_put_into_rooms_is_refused),
        GATEWAY_TEST(without_authentication_nobody_is_asked),
        GATEWAY_TEST(an_event_makes_nobody_somebody),
        GATEWAY_TEST(a_bad_event_ends_the_connection),
        GATEWAY_TEST(ten_refused_events_end_the_connection),
        GATEWAY_TEST(who_says_nothing_is_sent_away),
        GATEWAY_TEST(a_newer_token_takes_and_gives_rooms),
        GATEWAY_TEST(a_command_of_elsewhere_keeps_nobody_in_a_room),
        GATEWAY_TEST(a_reload_that_first_asks_for_claims_finds_those_of_who_is_here),
        cmocka_unit_test_setup_teardown(a_native_client_is_told_of_all_its_rooms,
                                        open_many_rooms, close_house),
        GATEWAY_TEST(a_room_has_as_many_members_as_its_row_says),
        GATEWAY_TEST(a_commands_own_list_decides_where_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Commands of a file in a whole gateway, over real sockets: what each action does, in
 * both dialects, and how it answers and fails. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/system_house.h"

static const char village[] =
    "commands:\n"
    "  join_village: {do: join, args: {village_id: id}, "
    "room: 'village:{args.0.village_id}', allow: ['village:*'], limit: joins}\n"
    "  mine: {do: join, room: 'team:{claims.team}', allow: ['team:{claims.team}']}\n"
    "  subscribe: {do: join, room: '{args.0.room}'}\n"
    "  leave: {do: leave, room: '{args.0}'}\n"
    "  rooms: {do: rooms}\n"
    "  whoami: {do: whoami}\n"
    "  refresh: {do: refresh}\n"
    "  ping: {do: reply, event: pong, payload: {at: '{now.ms}', by: '{user.id}'}}\n"
    "  message: {do: reply, event: message-back, args: '{args[]}'}\n"
    "  echo: {do: ack, args: '{args[]}'}\n"
    "  say: {do: relay, room: '{args.0}', as: said, args: '{args[1..]}', "
    "except_self: false, member: false}\n"
    "  typing: {do: relay, room: 'village:{args.0.v}', as: 'status:typing'}\n"
    "  fast: {do: ack, limit: per_user}\n"
    "  once: {do: ack, limit: cut}\n"
    "  quiet: {do: ack, limit: silent}\n"
    "  loud: {do: ack, limit: warned}\n"
    "  drop: {do: close}\n"
    "ack: {error: {ok: false, error: '{code}'}}\n"
    "error_event: oops\n"
    "codes: {ack: {E_BAD_PAYLOAD: bad_request}}\n"
    "limits: {rates: {joins: {rate: 2/1h}, per_user: {rate: 1/1h, per: user}, "
    "cut: {rate: 1/1h, then: disconnect}, silent: {rate: 1/1h, then: drop}, "
    "warned: {rate: 1/1h, then: warn, per: ip}}}\n";

static int open_village(void **state)
{
    return open_house_by(state, &house_settings, &house_limits, system_of(village));
}

#define VILLAGE_TEST(name)                                                               \
    cmocka_unit_test_setup_teardown(name, open_village, close_house)

static void says(struct house *house, struct ws_peer *peer, const char *sent,
                 const char *answer)
{
    peer_send(peer, 1, sent);
    const char *got = READ(house, peer);
    if (strcmp(got, answer) != 0)
        fail_msg("%s\n  %s\n  %s", sent, answer, got);
}

static void each_action_answers_a_socketio_client(void **state)
{
    static const char *const rows[][2] = {
        {"420[\"join_village\",{\"village_id\":7}]",
         "430[{\"ok\":true,\"room\":\"village:7\"}]"                                                    },
        {"420[\"join_village\",{}]",                 "430[{\"ok\":false,\"error\":\"bad_request\"}]"    },
        {"42[\"join_village\"]",
         "42[\"oops\",{\"code\":\"E_RATE_LIMIT\",\"message\":\"too many of these: wait a "
         "moment\",\"meta\":{}}]"                                                                       },
        {"421[\"subscribe\",{\"room\":\"no\"}]",
         "431[{\"ok\":false,\"error\":\"E_FORBIDDEN\"}]"                                                },
        {"421[\"subscribe\",{\"room\":\"ok:1\"}]",
         "431[{\"ok\":true,\"room\":\"ok:1\"}]"                                                         },
        {"421[\"mine\"]",                            "431[{\"ok\":false,\"error\":\"E_BAD_TARGET\"}]"   },
        {"422[\"rooms\"]",                           "432[[\"village:7\",\"ok:1\"]]"                    },
        {"42[\"rooms\"]",                            NULL                                               },
        {"423[\"leave\",\"ok:1\"]",                  "433[{\"ok\":true,\"room\":\"ok:1\"}]"             },
        {"423[\"leave\",\"ok:1\"]",                  "433[{\"ok\":true,\"room\":\"ok:1\"}]"             },
        {"423[\"leave\"]",                           "433[{\"ok\":false,\"error\":\"E_BAD_TARGET\"}]"   },
        {"42[\"message\",1,\"x\",{\"y\":[]}]",       "42[\"message-back\",1,\"x\",{\"y\":[]}]"          },
        {"42[\"message\"]",                          "42[\"message-back\"]"                             },
        {"424[\"echo\",1,[2]]",                      "434[1,[2]]"                                       },
        {"424[\"echo\"]",                            "434[]"                                            },
        {"425[\"nothing\"]",                         "435[{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\"}]"},
        {"42[\"nothing\"]",                          NULL                                               },
        {"426[\"refresh\",{}]",                      "436[{\"ok\":false,\"error\":\"bad_request\"}]"    },
    };
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"ok:*\"]");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i][1])
            says(house, io, rows[i][0], rows[i][1]);
        else
            peer_send(io, 1, rows[i][0]);
    }
    peer_destroy(io);
}

static void who_one_is_and_a_pong_come_from_templates(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    peer_send(io, 1, "421[\"whoami\"]");
    assert_starts(READ(house, io), "431[{\"id\":\"");
    assert_non_null(strstr(house->text, "\"user\":\"ada\",\"rooms\":[],\"recovered\":"));
    peer_send(io, 1, "42[\"ping\"]");
    assert_starts(READ(house, io), "42[\"pong\",{\"at\":1");
    assert_non_null(strstr(house->text, ",\"by\":\"ada\"}]"));
    peer_destroy(io);
}

static void a_native_client_has_the_same_commands(void **state)
{
    static const char *const rows[][2] = {
        {"{\"t\":\"emit\",\"event\":\"join_village\",\"data\":{\"village_id\":\"a\"},"
         "\"n\":1}",                                            "{\"t\":\"ack\",\"n\":1,\"data\":{\"ok\":true,\"room\":\"village:a\"}}"},
        {"{\"t\":\"emit\",\"event\":\"echo\",\"args\":[[1],2],\"n\":2}",
         "{\"t\":\"ack\",\"n\":2,\"data\":[1]}"                                                                                                 },
        {"{\"t\":\"emit\",\"event\":\"echo\",\"n\":3}",                  "{\"t\":\"ack\",\"n\":3}"                                              },
        {"{\"t\":\"emit\",\"event\":\"rooms\",\"n\":4}",
         "{\"t\":\"ack\",\"n\":4,\"data\":[\"village:a\"]}"                                                                                     },
        {"{\"t\":\"unsubscribe\",\"room\":\"x\",\"n\":5}",
         "{\"t\":\"ack\",\"n\":5,\"data\":{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\"}}"                                                        },
    };
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "bob", "[]");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        says(house, native, rows[i][0], rows[i][1]);
    peer_send(native, 1, "{\"t\":\"emit\",\"event\":\"message\",\"args\":[1,2]}");
    assert_starts(READ(house, native),
                  "{\"t\":\"event\",\"event\":\"message-back\",\"args\":[1,2],\"id\":\"");
    peer_send(native, 1, "{\"t\":\"emit\",\"event\":\"message\",\"data\":null}");
    assert_starts(READ(house, native),
                  "{\"t\":\"event\",\"event\":\"message-back\",\"data\":null,\"id\":\"");
    peer_destroy(native);
}

/* The envelope that was published last. */
static struct envelope published(struct house *house)
{
    static struct envelope_room room;
    struct envelope envelope = {0};

    assert_int_equal(
        envelope_decode(buf_slice(&house->engine.last_published), &room, &envelope),
        ST_OK);
    return envelope;
}

static void a_relay_is_published_and_answered_when_it_is_kept(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    says(house, io, "427[\"say\",\"r:1\",1,\"x\"]",
         "437[{\"ok\":true,\"room\":\"r:1\"}]");
    struct envelope envelope = published(house);
    assert_true(slice_is(envelope.event, "said") && slice_is(envelope.args, "[1,\"x\"]"));
    assert_true(slice_is(envelope.targets[0].name, "r:1"));
    assert_int_equal(envelope.except_count, 0);
    assert_int_equal(envelope.flags, ENVELOPE_HISTORY);

    says(house, io, "427[\"say\",\"r:1\",{\"a\":1}]",
         "437[{\"ok\":true,\"room\":\"r:1\"}]");
    assert_true(slice_is(published(house).data, "{\"a\":1}"));
    says(house, io, "427[\"say\",\"r:1\"]", "437[{\"ok\":true,\"room\":\"r:1\"}]");
    assert_int_equal(published(house).data.len + published(house).args.len, 0);

    house->engine.publish_answer = ST_UNAVAILABLE;
    says(house, io, "427[\"say\",\"r:1\"]",
         "437[{\"ok\":false,\"error\":\"E_UNAVAILABLE\"}]");
    house->engine.publish_answer = ST_BUSY;
    says(house, io, "427[\"say\",\"r:1\"]", "437[{\"ok\":false,\"error\":\"E_BUSY\"}]");
    peer_destroy(io);
}

static int open_catalog(void **state)
{
    return open_house_by(
        state, &house_settings, &house_limits,
        system_of(
            "commands:\n"
            "  say: {do: relay, room: r, as: said, payload: {text: '{args.0.text}'}, "
            "member: false}\n"
            "  shout: {do: relay, room: r, as: shouted, member: false}\n"
            "  note: {do: relay, room: r, as: noted, member: false}\n"
            "  hint: {do: relay, room: r, as: hinted, member: false}\n"
            "events:\n"
            "  said: {contract: {properties: {text: {maxLength: 3}}}, "
            "envelope: {type: '{event}', data: '{payload}'}, volatile: true}\n"
            "  shout: {contract: {type: object, required: [loud]}}\n"
            "  noted: {}\n"
            "  hinted: {history: off}\n"
            "unknown_events: deny\n"));
}

static void the_catalog_holds_for_clients_too(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    says(house, io, "421[\"say\",{\"text\":\"abc\"}]",
         "431[{\"ok\":true,\"room\":\"r\"}]");
    assert_true(slice_is(published(house).data,
                         "{\"type\":\"said\",\"data\":{\"text\":\"abc\"}}"));
    assert_int_equal(published(house).flags, ENVELOPE_VOLATILE);
    peer_send(io, 1, "421[\"say\",{\"text\":\"abcd\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":false,\"error\":\"E_BAD_PAYLOAD\","
                                   "\"message\":\"/text ");
    peer_send(io, 1, "421[\"shout\",{\"text\":1}]");
    assert_starts(READ(house, io), "431[{\"ok\":false,\"error\":\"E_BAD_PAYLOAD\"");
    assert_int_equal(house->engine.published, 1);
    /* The command names what the catalog does not have. */
    says(house, io, "421[\"shout\",{\"loud\":1}]", "431[{\"ok\":true,\"room\":\"r\"}]");
    assert_int_equal(published(house).flags, ENVELOPE_HISTORY);
    says(house, io, "421[\"note\",1]", "431[{\"ok\":true,\"room\":\"r\"}]");
    assert_int_equal(published(house).flags, ENVELOPE_HISTORY);
    says(house, io, "421[\"hint\",1]", "431[{\"ok\":true,\"room\":\"r\"}]");
    assert_int_equal(published(house).flags, 0);
    peer_destroy(io);
}

static void only_members_relay_unless_the_file_says_otherwise(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    says(house, io, "421[\"typing\",{\"v\":7}]",
         "431[{\"ok\":false,\"error\":\"E_FORBIDDEN\"}]");
    /* Everybody is no room that a client may spell. */
    says(house, io, "421[\"say\",\"*\",1]",
         "431[{\"ok\":false,\"error\":\"E_FORBIDDEN\"}]");
    assert_int_equal(house->engine.published, 0);
    says(house, io, "421[\"join_village\",{\"village_id\":7}]",
         "431[{\"ok\":true,\"room\":\"village:7\"}]");
    says(house, io, "421[\"typing\",{\"v\":7},2]",
         "431[{\"ok\":true,\"room\":\"village:7\"}]");
    struct envelope envelope = published(house);
    assert_true(slice_is(envelope.event, "status:typing") &&
                slice_is(envelope.args, "[{\"v\":7},2]"));
    assert_int_equal(envelope.except_count, 1);
    assert_int_equal(envelope.except[0].len, LIMIT_SIO_SID_BYTES);
    peer_destroy(io);
}

/* An event of a native client, and how the answer begins. */
static void begins(struct house *house, struct ws_peer *native, const char *event,
                   const char *answer)
{
    char text[256];

    snprintf(text, sizeof text, "{\"t\":\"emit\",\"n\":1,\"event\":%s}", event);
    peer_send(native, 1, text);
    assert_starts(READ(house, native), "{\"t\":\"ack\",\"n\":1,\"data\":");
    assert_starts(house->text + strlen("{\"t\":\"ack\",\"n\":1,\"data\":"), answer);
}

static void a_room_may_be_for_backends_alone_and_stay_unnamed(void **state)
{
    struct house *house = *state;

    use_yaml(house, "rooms: [{match: 'deep:*', allow: any, publish: none, hidden: on},\n"
                    "        {match: 'open:*', allow: any}]\n"
                    "connect: {auto_join: ['deep:1']}\n"
                    "commands:\n"
                    "  join: {do: join, room: '{args.0}'}\n"
                    "  say: {do: relay, room: '{args.0}', as: said, member: false}\n"
                    "  rooms: {do: rooms}\n"
                    "  who: {do: whoami}\n");
    struct ws_peer *native = join_native(house, "ada", "[]");
    assert_null(strstr(house->text, "deep"));
    begins(house, native, "\"join\",\"data\":\"open:1\"", "{\"ok\":true");
    begins(house, native, "\"rooms\"", "[\"open:1\"]}");
    begins(house, native, "\"who\"", "{\"id\":\"");
    assert_null(strstr(house->text, "deep"));
    begins(house, native, "\"say\",\"args\":[\"deep:1\",7]",
           "{\"ok\":false,\"error\":\"E_FORBIDDEN\"");
    assert_int_equal(house->engine.published, 0);
    begins(house, native, "\"say\",\"args\":[\"open:1\",7]", "{\"ok\":true");
    assert_int_equal(house->engine.published, 1);
    emit(house, ROOM_NAMED, "open:1", "1", false);
    assert_non_null(strstr(READ(house, native), "\"room\":\"open:1\""));
    emit(house, ROOM_NAMED, "deep:1", "2", false);
    assert_starts(READ(house, native), "{\"t\":\"event\"");
    assert_null(strstr(house->text, "\"room\""));
    assert_non_null(strstr(house->text, "\"data\":2"));
    peer_destroy(native);
}

static void rates_do_what_they_say(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *again = join_socketio(house, "ada", "[]");
    struct ws_peer *other = join_socketio(house, "bob", "[]");

    says(house, io, "421[\"fast\"]", "431[{\"ok\":true}]");
    says(house, again, "421[\"fast\"]", "431[{\"ok\":false,\"error\":\"E_RATE_LIMIT\"}]");
    says(house, other, "421[\"fast\"]", "431[{\"ok\":true}]");
    says(house, io, "422[\"loud\"]", "432[{\"ok\":true}]");
    says(house, other, "422[\"loud\"]", "432[{\"ok\":true}]");
    says(house, io, "423[\"quiet\"]", "433[{\"ok\":true}]");
    peer_send(io, 1, "424[\"quiet\"]");
    says(house, io, "425[\"once\"]", "435[{\"ok\":true}]");
    says(house, io, "426[\"once\"]", "436[{\"ok\":false,\"error\":\"E_RATE_LIMIT\"}]");
    assert_string_equal(READ(house, io), "41");
    assert_int_equal(house->metrics.values[METRIC_RATE_LIMITED], 4);
    peer_destroy(io);
    peer_destroy(again);
    peer_destroy(other);
}

static void close_answers_and_ends_the_transport(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    says(house, io, "421[\"drop\"]", "431[{\"ok\":true}]");
    READ(house, io);
    assert_int_equal(close_code(house), 1000);
    peer_destroy(io);
}

static void a_newer_token_leaves_what_no_way_leads_to(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"ok:1\"]");
    char *token = mint(house, "ada", "[]", 60);
    char text[2048];

    says(house, io, "421[\"subscribe\",{\"room\":\"ok:1\"}]",
         "431[{\"ok\":true,\"room\":\"ok:1\"}]");
    says(house, io, "421[\"join_village\",{\"village_id\":1}]",
         "431[{\"ok\":true,\"room\":\"village:1\"}]");
    snprintf(text, sizeof text, "422[\"refresh\",{\"token\":\"%s\"}]", token);
    says(house, io, text, "432[{\"ok\":true}]");
    /* The token gave ok:1; a command lets anybody into a village. */
    says(house, io, "423[\"rooms\"]", "433[[\"village:1\"]]");
    free(token);
    peer_destroy(io);
}

/* --- what is no command, and heartbeats */

static int open_strict(void **state)
{
    return open_house_by(state, &house_settings, &house_limits,
                         system_of("client_events: disconnect\n"));
}

static void an_unknown_event_may_end_the_connection(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *native = join_native(house, "bob", "[]");

    peer_send(io, 1, "42[\"nothing\"]");
    assert_starts(READ(house, io), "42[\"error\",{\"code\":\"E_UNKNOWN_EVENT\"");
    assert_string_equal(READ(house, io), "41");
    peer_send(native, 1, "{\"t\":\"emit\",\"event\":\"nothing\"}");
    assert_starts(READ(house, native), "{\"t\":\"error\",\"code\":\"E_UNKNOWN_EVENT\"");
    READ(house, native);
    assert_int_equal(close_code(house), 4403);
    peer_destroy(io);
    peer_destroy(native);
}

static int open_receiving(void **state)
{
    return open_house_by(state, &house_settings, &house_limits,
                         system_of("commands: {}\nclient_events: refuse\n"));
}

static void a_client_that_may_only_listen_is_refused_everything(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"**\"]");

    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\"");
    peer_send(io, 1, "42[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "42[\"error\",{\"code\":\"E_UNKNOWN_EVENT\"");
    peer_destroy(io);
}

static int open_beating(void **state)
{
    return open_house_by(state, &house_settings, &house_limits,
                         system_of("heartbeats:\n"
                                   "  - {emit: server_ping, every: 100ms, ack: on}\n"
                                   "  - {emit: ping2, every: 130ms, expect: pong2}\n"));
}

/* Reads up to the event called `name`; gives the ack that it asks for, or 0. */
static uint64_t read_beat(struct house *house, struct ws_peer *peer, const char *name)
{
    for (int i = 0; i < 20; i++) {
        const char *text = READ(house, peer);
        if (strstr(text, name))
            return strtoull(text + 2, NULL, 10);
        if (strcmp(text, "2") == 0)
            peer_send(peer, 1, "3");
    }
    fail_msg("no %s", name);
    return 0;
}

static uint64_t answered(const struct house *house)
{
    return house->metrics.values[METRIC_BEATS];
}

static void a_heartbeat_is_answered_by_an_ack_or_an_event_and_timed_once(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    char ack[64];

    uint64_t id = read_beat(house, io, "[\"server_ping\",1");
    assert_int_not_equal(id, 0);
    snprintf(ack, sizeof ack, "43%llu[]", (unsigned long long)id);
    peer_send(io, 1, ack);
    peer_send(io, 1, ack);
    peer_send(io, 1, "431000000[]");
    assert_int_equal(read_beat(house, io, "[\"ping2\",1"), 0);
    peer_send(io, 1, "42[\"pong2\"]");
    peer_send(io, 1, "42[\"pong2\"]");
    read_beat(house, io, "server_ping");
    assert_int_equal(answered(house), 2);
    assert_true(house->metrics.values[METRIC_BEAT_RTT_US] > 0);
    assert_int_equal(house->metrics.values[METRIC_CLIENT_EVENTS_UNKNOWN], 1);
    peer_destroy(io);
}

static void only_who_was_asked_answers_and_in_time(void **state)
{
    struct house *house = *state;
    struct ws_peer *ada = join_socketio(house, "ada", "[]");
    char ack[64];

    uint64_t late = read_beat(house, ada, "[\"server_ping\",1");
    uint64_t id = read_beat(house, ada, "[\"server_ping\",1");
    struct ws_peer *bob = join_socketio(house, "bob", "[]");
    snprintf(ack, sizeof ack, "43%llu[]", (unsigned long long)id);
    peer_send(bob, 1, ack);
    peer_send(bob, 1, "421[\"nothing\"]");
    read_beat(house, bob, "431[");
    assert_int_equal(answered(house), 0);
    snprintf(ack, sizeof ack, "43%llu[]", (unsigned long long)late);
    peer_send(ada, 1, ack);
    peer_send(ada, 1, "421[\"nothing\"]");
    read_beat(house, ada, "431[");
    assert_int_equal(answered(house), 0);

    /* Of beats that a reload ended, nothing is counted any more. */
    id = read_beat(house, ada, "[\"server_ping\",1");
    struct system *next =
        system_of("heartbeats: [{emit: server_ping, every: 10s, ack: on},"
                  " {emit: ping2, every: 10s, expect: pong2}]");
    assert_true(gateway_reload(house->gateway, next));
    system_release(next);
    snprintf(ack, sizeof ack, "43%llu[]", (unsigned long long)id);
    peer_send(ada, 1, ack);
    peer_send(ada, 1, "42[\"pong2\"]");
    peer_send(ada, 1, "421[\"nothing\"]");
    read_beat(house, ada, "431[");
    assert_int_equal(answered(house), 0);
    peer_destroy(ada);
    peer_destroy(bob);
}

static void a_native_client_hears_heartbeats_as_events(void **state)
{
    struct house *house = *state;
    struct ws_peer *native = join_native(house, "bob", "[]");

    read_beat(house, native, "\"event\":\"ping2\",\"data\":1");
    peer_send(native, 1, "{\"t\":\"emit\",\"event\":\"pong2\"}");
    read_beat(house, native, "ping2");
    assert_int_equal(answered(house), 1);
    peer_destroy(native);
}

static void a_reload_changes_commands_and_heartbeats_and_ends_nobody(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");
    struct system *next = system_of("commands: {hello: {do: ack, payload: '{args.0}'}}");

    says(house, io, "421[\"subscribe\",{\"room\":\"a\"}]",
         "431[{\"ok\":true,\"room\":\"a\"}]");
    assert_true(gateway_reload(house->gateway, next));
    system_release(next);
    says(house, io, "421[\"hello\",5]", "431[5]");
    peer_send(io, 1, "421[\"subscribe\",{\"room\":\"a\"}]");
    assert_starts(READ(house, io), "431[{\"ok\":false,\"error\":\"E_UNKNOWN_EVENT\"");
    emit(house, ROOM_NAMED, "a", "1", false);
    assert_string_equal(READ(house, io), "42[\"hello\",1]");
    peer_destroy(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VILLAGE_TEST(each_action_answers_a_socketio_client),
        VILLAGE_TEST(who_one_is_and_a_pong_come_from_templates),
        VILLAGE_TEST(a_native_client_has_the_same_commands),
        VILLAGE_TEST(a_relay_is_published_and_answered_when_it_is_kept),
        cmocka_unit_test_setup_teardown(the_catalog_holds_for_clients_too, open_catalog,
                                        close_house),
        VILLAGE_TEST(only_members_relay_unless_the_file_says_otherwise),
        GATEWAY_TEST(a_room_may_be_for_backends_alone_and_stay_unnamed),
        VILLAGE_TEST(rates_do_what_they_say),
        VILLAGE_TEST(close_answers_and_ends_the_transport),
        VILLAGE_TEST(a_newer_token_leaves_what_no_way_leads_to),
        cmocka_unit_test_setup_teardown(an_unknown_event_may_end_the_connection,
                                        open_strict, close_house),
        cmocka_unit_test_setup_teardown(
            a_client_that_may_only_listen_is_refused_everything, open_receiving,
            close_house),
        cmocka_unit_test_setup_teardown(
            a_heartbeat_is_answered_by_an_ack_or_an_event_and_timed_once, open_beating,
            close_house),
        cmocka_unit_test_setup_teardown(only_who_was_asked_answers_and_in_time,
                                        open_beating, close_house),
        cmocka_unit_test_setup_teardown(a_native_client_hears_heartbeats_as_events,
                                        open_beating, close_house),
        GATEWAY_TEST(a_reload_changes_commands_and_heartbeats_and_ends_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

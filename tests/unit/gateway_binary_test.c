/* Bytes through a whole gateway, over real sockets: what comes as attachments goes back,
 * and on, as attachments; the native dialect has base64. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/system_house.h"

#define FIRST "{\"_placeholder\":true,\"num\":0}"
#define SECOND "{\"_placeholder\":true,\"num\":1}"

static const char echoing[] =
    "commands:\n"
    "  subscribe: {do: join, room: '{args.0.room}'}\n"
    "  message: {do: reply, event: message-back, args: '{args[]}'}\n"
    "  second: {do: reply, event: second, payload: '{args.1}'}\n"
    "  echo: {do: ack, args: '{args[]}'}\n"
    "  twice: {do: ack, args: ['{args[]}', '{args[]}']}\n"
    "  none: {do: ack, payload: {ok: true}}\n"
    "  object: {do: ack, args: {file: object}}\n"
    "  text: {do: ack, args: {file: string}}\n"
    "  say: {do: relay, room: '{args.0}', as: said, args: '{args[1..]}', "
    "except_self: false, member: false}\n";

static int open_echo(void **state)
{
    return open_house_by(state, &house_settings, &house_limits, system_of(echoing));
}

/* Time is short, and few may come. */
static int open_strict(void **state)
{
    struct config_limits limits = house_limits;

    limits.attachments = 2;
    limits.attachments_timeout_ms = 100;
    return open_house_by(state, &house_settings, &limits, system_of(echoing));
}

/* Lines between '\n'; a binary one begins with '!'. */
static void send_all(struct ws_peer *peer, const char *lines)
{
    struct slice rest = slice_of(lines), line;

    while (rest.len > 0) {
        char message[6000];
        slice_cut(rest, '\n', &line, &rest);
        bool is_binary = line.len > 0 && line.ptr[0] == '!';
        snprintf(message, sizeof message, "%.*s", (int)(line.len - is_binary),
                 line.ptr + is_binary);
        peer_send(peer, is_binary ? 2 : 1, message);
    }
}

/* "closed" stands for the end of the connection. */
static void expect_all(struct house *house, struct ws_peer *peer, const char *sent,
                       const char *lines)
{
    struct slice rest = slice_of(lines), line;

    while (rest.len > 0) {
        char got[6000];
        slice_cut(rest, '\n', &line, &rest);
        const char *text = READ(house, peer);
        snprintf(got, sizeof got, "%s%s", peer->opcode == 2 ? "!" : "",
                 peer->opcode == 8 ? "closed" : text);
        if (!slice_is(line, got))
            fail_msg("%s\n  expected %.*s\n  got      %s", sent, (int)line.len, line.ptr,
                     got);
    }
}

static void what_comes_as_attachments_goes_back_as_such(void **state)
{
    static const char *const rows[][2] = {
        {"451-[\"message\"," FIRST "]\n!abc",                    "451-[\"message-back\"," FIRST "]\n!abc"},
        {"451-[\"message\",{\"a\":[1," FIRST "]},\"x\"]\n!",
         "451-[\"message-back\",{\"a\":[1," FIRST "]},\"x\"]\n!"                                         },
        {"452-[\"message\"," SECOND "," FIRST "]\n!a\n!b",
         "452-[\"message-back\"," FIRST "," SECOND "]\n!b\n!a"                                           },
        {"452-[\"message\"," FIRST "," SECOND "]\n!a\n3\nbYg==",
         "452-[\"message-back\"," FIRST "," SECOND "]\n!a\n!b"                                           },
        {"452-[\"second\"," FIRST "," SECOND "]\n!a\n!b",
         "451-[\"second\"," FIRST "]\n!b"                                                                },
        {"451-0[\"echo\"," FIRST "]\n!abc",                      "461-0[" FIRST "]\n!abc"                },
        {"451-17[\"echo\"," FIRST "," FIRST "]\n!abc",
         "462-17[" FIRST "," SECOND "]\n!abc\n!abc"                                                      },
        {"451-7[\"none\"," FIRST "]\n!abc",                      "437[{\"ok\":true}]"                    },
        {"451-7[\"echo\",5]\n!unused",                           "437[5]"                                },
        {"451-1[\"object\",{\"file\":" FIRST "}]\n!abc",         "431[{\"ok\":true}]"                    },
        {"451-2[\"text\",{\"file\":" FIRST "}]\n!abc",
         "432[{\"ok\":false,\"error\":\"E_BAD_PAYLOAD\",\"message\":\"\\\"file\\\" must "
         "be a "
         "string\"}]"                                                                                    },
 /* As in plain events: what looks like bytes is an ordinary object. */
        {"427[\"echo\"," FIRST ",{\"$binary\":\"YQ==\"}]",
         "437[" FIRST ",{\"$binary\":\"YQ==\"}]"                                                         },
        {"461-9[" FIRST "]\n!abc\n421[\"echo\"]",                "431[]"                                 },
        {"45a--[\"x\"]",                                         "closed"                                },
    };
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        send_all(io, rows[i][0]);
        expect_all(house, io, rows[i][0], rows[i][1]);
    }
    peer_destroy(io);
}

static void a_broken_packet_ends_the_connection(void **state)
{
    static const char *const rows[] = {
        "450-[\"echo\"]",
        "4511-[\"echo\"]",
        "45[\"echo\"]",
        "451[\"echo\"]",
        "451.5-[\"echo\"]",
        "451-[\"connect\"," FIRST "]",
        "451-/other,[\"echo\"," FIRST "]",
        "451-[\"echo\"," SECOND "]",
        "451-[\"echo\",{\"_placeholder\":true}]",
        "451-[\"echo\"," FIRST "]\n421[\"echo\"]",
        "451-[\"echo\"," FIRST "]\n40",
        "451-[\"echo\"," FIRST "]\n41",
        "!unannounced",
        "bYQ==",
        "452-[\"echo\"," FIRST "]\n!a\n451-[\"echo\"," FIRST "]",
    };
    struct house *house = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_peer *io = join_socketio(house, "ada", "[]");
        send_all(io, rows[i]);
        expect_all(house, io, rows[i], "closed");
        peer_destroy(io);
    }
}

static void attachments_have_ceilings(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    char large[4000];

    send_all(io, "453-[\"echo\"]");
    expect_all(house, io, "three", "closed");
    peer_destroy(io);

    /* 4096 bytes in all. */
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    io = join_socketio(house, "ada", "[]");
    send_all(io, "452-[\"echo\"]");
    peer_send(io, 2, large);
    peer_send(io, 2, large);
    READ(house, io);
    assert_int_equal(io->opcode, 8);
    assert_int_equal(close_code(house), 1009);
    peer_destroy(io);
}

static void attachments_that_do_not_come_end_the_connection(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    uint64_t from = clock_ms();
    send_all(io, "452-[\"echo\"," FIRST "]\n!a");
    expect_all(house, io, "missing", "closed");
    assert_in_range(clock_ms() - from, 95, 290); /* before the heartbeat is due */
    peer_destroy(io);
}

static void what_would_be_too_much_to_answer_is_told(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");

    send_all(io, "451-1[\"twice\"," FIRST "," FIRST "," FIRST "," FIRST "," FIRST
                 "," FIRST "]\n!a");
    expect_all(house, io, "twice",
               "431[{\"ok\":false,\"error\":\"E_BAD_PAYLOAD\",\"message\":\"too many "
               "attachments: at most 10\"}]");
    peer_destroy(io);
}

static void a_relay_carries_bytes_over_the_log(void **state)
{
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[]");
    struct ws_peer *native = join_native(house, "bob", "[]");
    struct envelope_room room;
    struct envelope envelope;

    send_all(io, "451-1[\"say\",\"a\",{\"b\":" FIRST "}]\n!abc");
    expect_all(house, io, "say", "431[{\"ok\":true,\"room\":\"a\"}]");
    assert_int_equal(
        envelope_decode(buf_slice(&house->engine.last_published), &room, &envelope),
        ST_OK);
    assert_true(slice_is(envelope.data, "{\"b\":{\"$binary\":\"YWJj\"}}"));
    assert_true(envelope.flags & ENVELOPE_BINARY);

    send_all(io, "421[\"say\",\"a\",{\"$binary\":\"YWJj\"}," FIRST "]");
    expect_all(house, io, "say", "431[{\"ok\":true,\"room\":\"a\"}]");
    assert_int_equal(
        envelope_decode(buf_slice(&house->engine.last_published), &room, &envelope),
        ST_OK);
    assert_false(envelope.flags & ENVELOPE_BINARY);

    send_all(
        native,
        "{\"t\":\"emit\",\"event\":\"say\",\"args\":[\"a\",1,{\"$binary\":\"YWJj\"}],"
        "\"n\":1}");
    expect_all(house, native, "say",
               "{\"t\":\"ack\",\"n\":1,\"data\":{\"ok\":true,\"room\":\"a\"}}");
    assert_int_equal(
        envelope_decode(buf_slice(&house->engine.last_published), &room, &envelope),
        ST_OK);
    assert_true(slice_is(envelope.args, "[1,{\"$binary\":\"YWJj\"}]"));
    assert_true(envelope.flags & ENVELOPE_BINARY);

    send_all(native,
             "{\"t\":\"emit\",\"event\":\"say\",\"args\":[\"a\",{\"_placeholder\":true,"
             "\"num\":9},{\"$binary\":\"YWJj\"}],\"n\":2}");
    assert_starts(READ(house, native), "{\"t\":\"ack\",\"n\":2,\"data\":{\"ok\":false,"
                                       "\"error\":\"E_BAD_PAYLOAD\"");
    peer_destroy(io);
    peer_destroy(native);
}

static void an_event_with_bytes_reaches_each_dialect_in_its_way(void **state)
{
    static const char data[] = "[{\"$binary\":\"YWJj\"},{\"$binary\":\"AA==\"}]";
    struct house *house = *state;
    struct ws_peer *io = join_socketio(house, "ada", "[\"a\"]");
    struct ws_peer *native = join_native(house, "bob", "[\"a\"]");
    struct envelope_target target = {ROOM_NAMED, SLICE("a")};
    struct envelope envelope = {.kind = ENVELOPE_EVENT,
                                .flags = ENVELOPE_BINARY,
                                .id = SLICE("e1"),
                                .nsp = SLICE("/"),
                                .event = SLICE("file"),
                                .event_json = SLICE("\"file\""),
                                .data = slice_of(data),
                                .targets = &target,
                                .target_count = 1};

    send_all(io, "421[\"subscribe\",{\"room\":\"a\"}]");
    expect_all(house, io, "join", "431[{\"ok\":true,\"room\":\"a\"}]");
    send_all(native, "{\"t\":\"subscribe\",\"room\":\"a\",\"n\":1}");
    READ(house, native);
    fake_engine_emit(&house->engine, &envelope, false);
    expect_all(house, io, "file", "452-[\"file\",[" FIRST "," SECOND "]]\n!abc");
    READ(house, io);
    assert_int_equal(io->opcode, 2);
    assert_int_equal(house->text[0], 0);
    assert_non_null(strstr(READ(house, native), data));

    /* The same bytes of a publisher who did not mean bytes. */
    envelope.flags = 0;
    fake_engine_emit(&house->engine, &envelope, false);
    expect_all(house, io, "file",
               "42[\"file\",[{\"$binary\":\"YWJj\"},{\"$binary\":\"AA==\"}]]");
    peer_destroy(io);
    peer_destroy(native);
}

#define ECHO_TEST(name) cmocka_unit_test_setup_teardown(name, open_echo, close_house)
#define STRICT_TEST(name) cmocka_unit_test_setup_teardown(name, open_strict, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ECHO_TEST(what_comes_as_attachments_goes_back_as_such),
        ECHO_TEST(a_broken_packet_ends_the_connection),
        STRICT_TEST(attachments_have_ceilings),
        STRICT_TEST(attachments_that_do_not_come_end_the_connection),
        ECHO_TEST(what_would_be_too_much_to_answer_is_told),
        ECHO_TEST(a_relay_carries_bytes_over_the_log),
        ECHO_TEST(an_event_with_bytes_reaches_each_dialect_in_its_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/native.h"
#include "support/wire_cases.h"

static const struct slice none = {0};

/* One decoder's memory and results, as the gateway's loop has them. */
struct decoder {
    struct native_memory memory;
    struct native_message message;
    char detail[NATIVE_DETAIL_BYTES];
};

static enum status decode(struct decoder *decoder, struct slice text)
{
    return native_decode(text, &json_limits_default, &decoder->memory, &decoder->message,
                         decoder->detail);
}

static const struct native_message *decode_ok(struct decoder *decoder, const char *text)
{
    if (decode(decoder, slice_of(text)))
        fail_msg("%s: %s", text, decoder->detail);
    return &decoder->message;
}

static void connect_has_all_its_fields(void **state)
{
    struct decoder decoder = {0};
    const struct native_message *message = decode_ok(
        &decoder, "{\"token\":\"a.b.c\",\"session\":\"s\",\"position\":\"k3-1\","
                  "\"rooms\":[\"a:1\",\"user:\\u0037\"],\"ping\":true,"
                  "\"data\":{\"v\":1.0},\"t\":\"connect\"}");

    (void)state;
    assert_int_equal(message->type, NATIVE_CONNECT);
    assert_true(slice_is(message->token, "a.b.c"));
    assert_true(slice_is(message->session, "s"));
    assert_true(slice_is(message->position, "k3-1"));
    assert_int_equal(message->room_count, 2);
    assert_true(slice_is(message->rooms[0], "a:1"));
    assert_true(slice_is(message->rooms[1], "user:7"));
    assert_true(message->ping);
    assert_true(slice_is(message->data, "{\"v\":1.0}"));
    native_memory_finish(&decoder.memory);
}

static void emit_keeps_the_bytes_of_its_payload(void **state)
{
    static const char *const payloads[] = {
        "0.1",
        "-0",
        "1e308",
        "1.0",
        "9007199254740993",
        "\"\\u00e9\\/\"",
        "null",
        "\"\xf0\x9f\x98\x80\"",
        "\"\xe2\x80\xa8\"",
        "[[[1]],{}]",
        "{ \"b\" : 1, \"a\" : 2 }",
    };
    struct decoder decoder = {0};
    struct buf text = {.max = 1024};

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        buf_clear(&text);
        buf_print(&text, "{\"t\":\"emit\",\"event\":\"s\\u00e1y\",\"data\":%s,\"n\":0}",
                  payloads[i]);
        assert_int_equal(decode(&decoder, buf_slice(&text)), ST_OK);
        assert_true(slice_is(decoder.message.event, "s\xc3\xa1y"));
        assert_true(slice_is(decoder.message.data, payloads[i]));
        assert_int_equal(decoder.message.args.len, 0);
        assert_true(decoder.message.has_n);
        assert_int_equal(decoder.message.n, 0);
    }
    assert_true(slice_is(
        decode_ok(&decoder, "{\"t\":\"emit\",\"event\":\"a\",\"args\":[1, {}]}")->args,
        "[1, {}]"));
    assert_false(decoder.message.has_n);
    buf_finish(&text);
    native_memory_finish(&decoder.memory);
}

static void fields_of_another_message_are_unknown_ones(void **state)
{
    struct decoder decoder = {0};
    const struct native_message *message = decode_ok(
        &decoder, "{\"t\":\"subscribe\",\"room\":\"a\",\"token\":5,\"data\":1,\"x\":[]}");

    (void)state;
    assert_true(slice_is(message->room, "a"));
    assert_int_equal(message->token.len, 0);
    assert_int_equal(message->data.len, 0);
    native_memory_finish(&decoder.memory);
}

static void decoded_strings_do_not_move(void **state)
{
    struct decoder decoder = {0};
    struct buf text = {.max = 1 << 16};

    (void)state;
    buf_add_text(&text, "{\"t\":\"connect\",\"rooms\":[");
    for (int i = 0; i < LIMIT_MESSAGE_ROOMS; i++)
        buf_print(&text, "%s\"\\u0072oom:%d\"", i ? "," : "", i);
    buf_add_text(&text, "]}");
    assert_int_equal(decode(&decoder, buf_slice(&text)), ST_OK);
    assert_int_equal(decoder.message.room_count, LIMIT_MESSAGE_ROOMS);
    for (int i = 0; i < LIMIT_MESSAGE_ROOMS; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "room:%d", i);
        assert_true(slice_is(decoder.message.rooms[i], expected));
    }
    buf_finish(&text);
    native_memory_finish(&decoder.memory);
}

static void no_beginning_of_a_message_is_a_message(void **state)
{
    struct slice whole =
        SLICE("{\"t\":\"connect\",\"token\":\"\\u0061\",\"rooms\":[\"a\"],"
              "\"ping\":false,\"data\":[1.5,\"\xf0\x9f\x98\x80\"]}");
    struct decoder decoder = {0};

    (void)state;
    assert_int_equal(decode(&decoder, whole), ST_OK);
    for (size_t n = 0; n < whole.len; n++) {
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, whole.ptr, n);
        assert_int_equal(decode(&decoder, (struct slice){copy, n}), ST_BAD_PACKET);
        free(copy);
    }
    native_memory_finish(&decoder.memory);
}

static void a_refusal_says_what_was_expected(void **state)
{
    static const struct {
        const char *text;
        const char *detail;
    } cases[] = {
        {"[]",                                                      "a message is a JSON object"            },
        {"{\"t\":\"publish\"}",
         "\"t\" must be connect, subscribe, unsubscribe, emit, refresh or pong"                             },
        {"{\"t\":\"subscribe\"}",                                   "\"subscribe\" needs \"room\", a string"},
        {"{\"t\":\"emit\",\"event\":7}",                            "\"event\" must be a string"            },
        {"{\"t\":\"connect\",\"rooms\":[1]}",                       "\"rooms\" must be at most 64 strings"  },
        {"{\"t\":\"emit\",\"event\":\"a\",\"n\":-1}",
         "\"n\" must be an integer, 0 to 2^53-1"                                                            },
        {"{\"t\":\"emit\",\"event\":\"a\",\"data\":1,\"args\":[]}",
         "\"data\" or \"args\", not both"                                                                   },
    };
    struct decoder decoder = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode(&decoder, slice_of(cases[i].text)), ST_BAD_PACKET);
        assert_string_equal(decoder.detail, cases[i].detail);
    }
    assert_int_equal(decode(&decoder, SLICE("{\"t\" \"x\"}")), ST_BAD_PACKET);
    assert_non_null(strstr(decoder.detail, "byte 5: "));
    native_memory_finish(&decoder.memory);
}

static void accept(const char *name, struct slice sample)
{
    struct decoder decoder = {0};

    if (decode(&decoder, sample))
        fail_msg("%s is refused: %s", name, decoder.detail);
    native_memory_finish(&decoder.memory);
}

static void refuse(const char *name, struct slice sample)
{
    struct decoder decoder = {0};

    if (decode(&decoder, sample) != ST_BAD_PACKET)
        fail_msg("%s is accepted", name);
    if (decoder.detail[0] == '\0')
        fail_msg("%s is refused without a word", name);
    native_memory_finish(&decoder.memory);
}

static void the_samples_are_judged_by_their_folder(void **state)
{
    (void)state;
    assert_true(wire_cases_each("native/valid", accept) >= 10);
    assert_true(wire_cases_each("native/invalid", refuse) >= 10);
}

static void assert_content(struct buf *out, const char *expected)
{
    assert_int_equal(buf_status(out), ST_OK);
    if (!slice_is(buf_slice(out), expected))
        fail_msg("%.*s\nis not\n%s", (int)out->len, out->ptr, expected);
    buf_clear(out);
}

static void connected_tells_who_and_where(void **state)
{
    static const struct slice rooms[] = {SLICE("*"), SLICE("user:42")};
    struct buf out = {.max = 1024};
    struct native_connected connected = {.session = SLICE("secret"),
                                         .sid = SLICE("public"),
                                         .user = SLICE("4\"2"),
                                         .rooms = rooms,
                                         .room_count = 2,
                                         .recovered = true,
                                         .position = SLICE("k3Jx9QaT-1z4"),
                                         .ping_interval_ms = 25000};

    (void)state;
    native_encode_connected(&out, &connected);
    assert_content(&out, "{\"t\":\"connected\",\"session\":\"secret\",\"sid\":\"public\","
                         "\"user\":\"4\\\"2\",\"rooms\":[\"*\",\"user:42\"],"
                         "\"recovered\":true,\"position\":\"k3Jx9QaT-1z4\","
                         "\"ping_interval\":25000}");

    connected = (struct native_connected){.reason = SLICE("unknown_session")};
    native_encode_connected(&out, &connected);
    assert_content(&out,
                   "{\"t\":\"connected\",\"session\":\"\",\"sid\":\"\",\"user\":null,"
                   "\"rooms\":[],\"recovered\":false,\"reason\":\"unknown_session\","
                   "\"position\":\"\",\"ping_interval\":0}");
    buf_finish(&out);
}

static void an_event_discloses_only_what_it_is_given(void **state)
{
    struct buf out = {.max = 1024};
    struct native_event event = {.event_json = SLICE("\"project.\\u0075pdated\""),
                                 .room = SLICE("project:7"),
                                 .data = SLICE("{\"a\":1.0}"),
                                 .id = SLICE("01JD"),
                                 .at_ms = 1732190400123,
                                 .position = SLICE("k3Jx9QaT-1z4")};

    (void)state;
    native_encode_event(&out, &event);
    assert_content(&out, "{\"t\":\"event\",\"event\":\"project.\\u0075pdated\","
                         "\"room\":\"project:7\",\"data\":{\"a\":1.0},\"id\":\"01JD\","
                         "\"at\":1732190400123,\"position\":\"k3Jx9QaT-1z4\"}");

    event.room = event.data = event.position = none;
    event.args = SLICE("[-0, 1e308]");
    native_encode_event(&out, &event);
    assert_content(&out, "{\"t\":\"event\",\"event\":\"project.\\u0075pdated\","
                         "\"args\":[-0, 1e308],\"id\":\"01JD\",\"at\":1732190400123}");
    buf_finish(&out);
}

static void the_small_messages_are_spelt_as_the_contract_has_them(void **state)
{
    static const struct slice all[] = {SLICE("*")};
    struct buf out = {.max = 1024};
    struct native_error error = {.code = SLICE("E_UNAUTH"),
                                 .message = SLICE("Token expired"),
                                 .reason = SLICE("expired")};

    (void)state;
    native_encode_ack(&out, 0, SLICE("{\"ok\":true}"));
    assert_content(&out, "{\"t\":\"ack\",\"n\":0,\"data\":{\"ok\":true}}");
    native_encode_ack(&out, 9007199254740991, none);
    assert_content(&out, "{\"t\":\"ack\",\"n\":9007199254740991}");

    native_encode_error(&out, &error);
    assert_content(&out, "{\"t\":\"error\",\"code\":\"E_UNAUTH\",\"message\":\"Token "
                         "expired\",\"reason\":\"expired\"}");
    error = (struct native_error){
        .code = SLICE("E_FORBIDDEN"), .message = SLICE("No"), .has_n = true};
    native_encode_error(&out, &error);
    assert_content(&out, "{\"t\":\"error\",\"code\":\"E_FORBIDDEN\",\"message\":\"No\","
                         "\"n\":0}");

    native_encode_resync(&out, all, 1, SLICE("history_overflow"), SLICE("k3-1"));
    assert_content(&out, "{\"t\":\"resync\",\"rooms\":[\"*\"],"
                         "\"reason\":\"history_overflow\",\"position\":\"k3-1\"}");
    native_encode_ping(&out);
    assert_content(&out, "{\"t\":\"ping\"}");
    native_encode_drain(&out, 1500);
    assert_content(&out, "{\"t\":\"drain\",\"in\":1500}");
    native_encode_expiring(&out, 30000);
    assert_content(&out, "{\"t\":\"expiring\",\"in\":30000}");
    buf_finish(&out);
}

static void a_full_buffer_is_told(void **state)
{
    struct native_event event = {.event_json = SLICE("\"a\""), .id = SLICE("01JD")};

    (void)state;
    for (size_t max = 0; max < 40; max++) {
        struct buf out = {.max = max};
        native_encode_event(&out, &event);
        assert_int_equal(buf_status(&out), ST_TOO_LARGE);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_has_all_its_fields),
        cmocka_unit_test(emit_keeps_the_bytes_of_its_payload),
        cmocka_unit_test(fields_of_another_message_are_unknown_ones),
        cmocka_unit_test(decoded_strings_do_not_move),
        cmocka_unit_test(no_beginning_of_a_message_is_a_message),
        cmocka_unit_test(a_refusal_says_what_was_expected),
        cmocka_unit_test(the_samples_are_judged_by_their_folder),
        cmocka_unit_test(connected_tells_who_and_where),
        cmocka_unit_test(an_event_discloses_only_what_it_is_given),
        cmocka_unit_test(the_small_messages_are_spelt_as_the_contract_has_them),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/eio.h"
#include "proto/sio.h"
#include "support/wire_cases.h"

static const struct slice none = {0};

/* Decodes a heap copy of exactly the length, so that a sanitizer sees a read past it. */
static enum status decode_exact(struct slice text)
{
    struct sio_packet packet;
    char *copy = malloc(text.len ? text.len : 1);

    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    enum status st =
        sio_decode((struct slice){copy, text.len}, &json_limits_default, &packet);
    free(copy);
    return st;
}

static struct sio_packet decode_ok(const char *text)
{
    struct sio_packet packet;
    enum status st = sio_decode(slice_of(text), &json_limits_default, &packet);

    if (st)
        fail_msg("%s: %s", text, status_title(st));
    return packet;
}

static void decode_takes_the_head_apart(void **state)
{
    static const struct {
        const char *text;
        enum sio_type type;
        unsigned attachments;
        const char *nsp;
        int64_t ack; /* -1: none */
        const char *json;
    } cases[] = {
        {"0",                                          SIO_CONNECT,       0,  "/",           -1,               ""                   },
        {"0{}",                                        SIO_CONNECT,       0,  "/",           -1,               "{}"                 },
        {"0 {\"a\":1} ",                               SIO_CONNECT,       0,  "/",           -1,               "{\"a\":1}"          },
        {"0/custom",                                   SIO_CONNECT,       0,  "/custom",     -1,               ""                   },
        {"0/custom,",                                  SIO_CONNECT,       0,  "/custom",     -1,               ""                   },
        {"0/,",                                        SIO_CONNECT,       0,  "/",           -1,               ""                   },
        {"0/custom?x=1,{}",                            SIO_CONNECT,       0,  "/custom?x=1", -1,               "{}"                 },
        {"012{}",                                      SIO_CONNECT,       0,  "/",           12,               "{}"                 },
        {"1",                                          SIO_DISCONNECT,    0,  "/",           -1,               ""                   },
        {"1/custom,",                                  SIO_DISCONNECT,    0,  "/custom",     -1,               ""                   },
        {"2[\"a\"]",                                   SIO_EVENT,         0,  "/",           -1,               "[\"a\"]"            },
        {"2/n,0[\"a\",{}]",                            SIO_EVENT,         0,  "/n",          0,                "[\"a\",{}]"         },
        {"2007[\"a\"]",                                SIO_EVENT,         0,  "/",           7,                "[\"a\"]"            },
        {"29007199254740991[\"a\"]",                   SIO_EVENT,         0,  "/",           9007199254740991, "[\"a\"]"            },
        {"2[1,2]",                                     SIO_EVENT,         0,  "/",           -1,               "[1,2]"              },
        {"2[\"\"]",                                    SIO_EVENT,         0,  "/",           -1,               "[\"\"]"             },
        {"3[]",                                        SIO_ACK,           0,  "/",           -1,               "[]"                 },
        {"3/n,12[1]",                                  SIO_ACK,           0,  "/n",          12,               "[1]"                },
        {"4{\"message\":\"x\"}",                       SIO_CONNECT_ERROR, 0,  "/",           -1,               "{\"message\":\"x\"}"},
        {"4\"x\"",                                     SIO_CONNECT_ERROR, 0,  "/",           -1,               "\"x\""              },
        {"51-[\"a\"]",                                 SIO_BINARY_EVENT,  1,  "/",           -1,               "[\"a\"]"            },
        {"510-/n,3[\"a\"]",                            SIO_BINARY_EVENT,  10, "/n",          3,                "[\"a\"]"            },
        {"62-5[]",                                     SIO_BINARY_ACK,    2,  "/",           5,                "[]"                 },
        {"2[\"_\",{\"_placeholder\":true,\"num\":9}]", SIO_EVENT,         0,  "/",           -1,
         "[\"_\",{\"_placeholder\":true,\"num\":9}]"                                                                                },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sio_packet packet = decode_ok(cases[i].text);
        assert_int_equal(packet.type, cases[i].type);
        assert_int_equal(packet.attachments, cases[i].attachments);
        assert_true(slice_is(packet.nsp, cases[i].nsp));
        assert_int_equal(packet.has_ack, cases[i].ack >= 0);
        assert_int_equal(packet.ack, cases[i].ack < 0 ? 0 : cases[i].ack);
        assert_true(slice_is(packet.json, cases[i].json));
    }
}

static void refuse_all(const char *const *bad, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (decode_exact(slice_of(bad[i])) != ST_BAD_PACKET)
            fail_msg("accepted: %s", bad[i]);
    }
}

/* Kept in lines: the formatter gives each sample its own. */
/* clang-format off */
static const char *const bad_payloads[] = {
    "", "7", "x", "-", " 2[\"a\"]",
    "0[]", "0\"x\"", "0null", "0 ", "1{}", "1[]", "1 ",
    "2", "2/n", "2/n,", "21", "2{}", "2[]", "2[null]", "2[true]", "2[{}]", "2[[\"a\"]]",
    "2\"a\"", "3", "35", "3{}", "31{}", "4", "4[]", "4null", "51-", "61-{}",
};
static const char *const reserved_names[] = {
    "2[\"connect\"]", "2[\"connect_error\"]", "2[\"disconnect\"]", "2[\"disconnecting\",1]",
    "2[\"newListener\"]", "2[\"removeListener\"]", "2[\"\\u0063onnect\"]", "51-[\"connect\"]",
    "2[\"\\u0072\\u0065\\u006d\\u006f\\u0076\\u0065\\u004c\\u0069\\u0073\\u0074\\u0065\\u006e"
    "\\u0065\\u0072\"]",
};
static const char *const bad_attachments[] = {
    "50-[\"a\"]", "511-[\"a\"]", "5[\"a\"]", "51[\"a\"]", "51.5-[\"a\"]", "5-[\"a\"]",
    "5-1-[\"a\"]", "599999999999999999999999-[\"a\"]", "60-[]", "5", "51",
};
static const char *const bad_ids[] = {
    "2-1[\"a\"]", "21.5[\"a\"]", "2abc[\"a\"]", "2+1[\"a\"]", "29007199254740992[\"a\"]",
    "299999999999999999999999[\"a\"]",
};
static const char *const bad_json[] = {
    "2[\"a\"", "2[\"a\"]x", "2[\"a\"][]", "2[\"a\",]", "2['a']", "2[\"a\n\"]", "2[\"\xff\"]",
    "2[\"a\",01]", "2[\"a\",NaN]", "0{\"a\":1,\"a\":2}",
};
static const char *const bad_namespaces[] = {"0/\xff", "0/\xc3,{}"};
/* clang-format on */

static void decode_refuses_a_payload_that_does_not_suit_the_type(void **state)
{
    (void)state;
    refuse_all(bad_payloads, sizeof bad_payloads / sizeof *bad_payloads);
}

static void decode_refuses_reserved_names_however_they_are_spelt(void **state)
{
    (void)state;
    refuse_all(reserved_names, sizeof reserved_names / sizeof *reserved_names);
}

static void decode_refuses_what_is_not_a_head(void **state)
{
    (void)state;
    refuse_all(bad_attachments, sizeof bad_attachments / sizeof *bad_attachments);
    refuse_all(bad_ids, sizeof bad_ids / sizeof *bad_ids);
    refuse_all(bad_namespaces, sizeof bad_namespaces / sizeof *bad_namespaces);
}

static void decode_refuses_what_is_not_json(void **state)
{
    (void)state;
    refuse_all(bad_json, sizeof bad_json / sizeof *bad_json);
}

static void no_beginning_of_an_event_is_an_event(void **state)
{
    static const char *const whole[] = {
        "2/custom,17[\"say \\u00e9\",{\"a\":[1,2.5e3]},\"\xf0\x9f\x98\x80\"]",
        "53-/n,0[\"up\",{\"_placeholder\":true,\"num\":0}]",
        "3/n,5[\"ok\",null]",
        "4/n,{\"message\":\"x\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        struct slice text = slice_of(whole[i]);
        assert_int_equal(decode_exact(text), ST_OK);
        for (size_t n = 0; n < text.len; n++)
            assert_int_equal(decode_exact(slice_first(text, n)), ST_BAD_PACKET);
    }
}

static void decode_keeps_to_the_limits_of_json(void **state)
{
    static const struct json_limits shallow = {
        .depth = 2, .nodes = 3, .string_bytes = 8, .number_bytes = 8};
    static const char *const beyond[] = {"2[\"a\",[[1]]]", "2[\"a\",1,2,3]",
                                         "2[\"a\",\"123456789\"]", "2[\"a\",123456789]"};
    struct sio_packet packet;

    (void)state;
    assert_int_equal(sio_decode(SLICE("2[\"a\",1]"), &shallow, &packet), ST_OK);
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        assert_int_equal(sio_decode(slice_of(beyond[i]), &shallow, &packet),
                         ST_BAD_PACKET);
}

static void a_very_long_name_is_not_a_reserved_one(void **state)
{
    struct buf text = {.max = 4096};

    (void)state;
    buf_add_text(&text, "2[\"connect");
    for (int i = 0; i < 1000; i++)
        buf_add_text(&text, "\\n");
    buf_add_text(&text, "\"]");
    assert_int_equal(decode_exact(buf_slice(&text)), ST_OK);
    buf_finish(&text);
}

static void an_event_splits_into_name_and_arguments(void **state)
{
    static const struct {
        const char *json;
        const char *name;
        const char *args;
    } cases[] = {
        {"[\"a\"]",                   "\"a\"",     ""              },
        {"[ \"a\" ]",                 "\"a\"",     ""              },
        {"[\"a\",1]",                 "\"a\"",     "1"             },
        {"[\"a\" , {\"b\":[]} , 2 ]", "\"a\"",     "{\"b\":[]} , 2"},
        {"[\"]\",\"[,\"]",            "\"]\"",     "\"[,\""        },
        {"[\"\\\",\",[[]],null]",     "\"\\\",\"", "[[]],null"     },
        {"[7,\"x\"]",                 "7",         "\"x\""         },
        {"\n[\t\"a\",\r\n[1,2]\n]\n", "\"a\"",     "[1,2]"         },
    };
    struct slice name;
    struct slice args;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sio_event_decode(slice_of(cases[i].json), &name, &args), ST_OK);
        assert_true(slice_is(name, cases[i].name));
        assert_true(slice_is(args, cases[i].args));
    }
    assert_int_equal(sio_event_decode(SLICE("[]"), &name, &args), ST_BAD_PACKET);
    assert_int_equal(sio_event_decode(SLICE("{}"), &name, &args), ST_BAD_PACKET);
    assert_int_equal(sio_event_decode(none, &name, &args), ST_BAD_PACKET);
}

static void the_items_of_an_array_stand_without_brackets(void **state)
{
    (void)state;
    assert_true(slice_is(sio_array_items(SLICE("[]")), ""));
    assert_true(slice_is(sio_array_items(SLICE("[ ]")), ""));
    assert_true(slice_is(sio_array_items(SLICE(" [ 1,[2] ] ")), "1,[2]"));
}

static void assert_content(struct buf *out, const char *expected)
{
    assert_int_equal(buf_status(out), ST_OK);
    if (!slice_is(buf_slice(out), expected))
        fail_msg("%.*s\nis not\n%s", (int)out->len, out->ptr, expected);
    buf_clear(out);
}

static void the_answers_to_connect_are_objects(void **state)
{
    struct buf out = {.max = 1024};

    (void)state;
    sio_encode_connected(&out, SLICE("/"), SLICE("s1"), none);
    assert_content(&out, "40{\"sid\":\"s1\"}");
    sio_encode_connected(&out, SLICE("/n"), SLICE("s1"), SLICE("p1"));
    assert_content(&out, "40/n,{\"sid\":\"s1\",\"pid\":\"p1\"}");
    sio_encode_refused(&out, SLICE("/x"), SLICE("Invalid namespace"), none);
    assert_content(&out, "44/x,{\"message\":\"Invalid namespace\"}");
    sio_encode_refused(&out, SLICE("/"), SLICE("Say \"please\""),
                       SLICE("{\"code\":\"E_UNAUTH\"}"));
    assert_content(
        &out, "44{\"message\":\"Say \\\"please\\\"\",\"data\":{\"code\":\"E_UNAUTH\"}}");
    buf_finish(&out);
}

static void an_event_has_data_or_arguments_and_an_offset(void **state)
{
    const struct slice a = SLICE("\"a\"");
    struct buf out = {.max = 1024};

    (void)state;
    sio_encode_event(&out, SLICE("/"), a, none, none, none);
    assert_content(&out, "42[\"a\"]");
    sio_encode_event(&out, SLICE("/n"), a, SLICE("{\"x\":1.0}"), none, SLICE("k3-1"));
    assert_content(&out, "42/n,[\"a\",{\"x\":1.0},\"k3-1\"]");
    sio_encode_event(&out, SLICE("/"), a, none, SLICE("[1, [2]]"), SLICE("k3-1"));
    assert_content(&out, "42[\"a\",1, [2],\"k3-1\"]");
    sio_encode_event(&out, SLICE("/"), a, none, SLICE("[ ]"), SLICE("k3-1"));
    assert_content(&out, "42[\"a\",\"k3-1\"]");
    buf_finish(&out);
}

static void acks_and_disconnects_name_their_namespace(void **state)
{
    struct buf out = {.max = 1024};

    (void)state;
    sio_encode_ack(&out, SLICE("/"), 0, none);
    assert_content(&out, "430[]");
    sio_encode_ack(&out, SLICE("/n"), 7, SLICE("{\"ok\":true},1"));
    assert_content(&out, "43/n,7[{\"ok\":true},1]");
    sio_encode_disconnect(&out, SLICE("/"));
    assert_content(&out, "41");
    sio_encode_disconnect(&out, SLICE("/n"));
    assert_content(&out, "41/n,");
    buf_finish(&out);
}

static const char *const payloads[] = {
    "0.1",
    "-0",
    "1e308",
    "1.0",
    "9007199254740993",
    "12345678901234567890",
    "\"\\u00e9\\n\\/\\\"\\\\\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\\ud83d\\ude00\"",
    "\"\xe2\x80\xa8\"",
    "\"\\u2028\"",
    "\"\\u0000\"",
    "\"\"",
    "[]",
    "{}",
    "null",
    "true",
    "[[[[[1]]]],[],{}]",
    "{\"b\":1,\"2\":2,\"a\":{\"\":[0]}}",
    "{ \"a\" : [ 1 , 2 ] }",
    "{\"_placeholder\":true,\"num\":0}",
};

/* What the encoder wrote, split by the decoders. */
static void decode_event(const struct buf *wire, struct sio_packet *packet,
                         struct slice *name, struct slice *args)
{
    struct eio_packet frame;

    assert_int_equal(buf_status(wire), ST_OK);
    assert_int_equal(eio_decode(buf_slice(wire), &frame), ST_OK);
    assert_int_equal(frame.type, EIO_MESSAGE);
    assert_int_equal(sio_decode(frame.data, &json_limits_default, packet), ST_OK);
    assert_int_equal(packet->type, SIO_EVENT);
    assert_int_equal(sio_event_decode(packet->json, name, args), ST_OK);
}

static void what_an_event_carries_comes_back_byte_for_byte(void **state)
{
    static const char *const names[] = {"\"project.updated\"", "\"\"", "\"a b:\xc3\xa9\"",
                                        "\"\\\"],\"", "\"\xf0\x9f\x98\x80\""};
    struct buf wire = {.max = 4096};
    struct sio_packet packet;
    struct slice name;
    struct slice args;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t k = 0; k < sizeof payloads / sizeof *payloads; k++) {
            buf_clear(&wire);
            sio_encode_event(&wire, SLICE("/custom"), slice_of(names[i]),
                             slice_of(payloads[k]), none, none);
            decode_event(&wire, &packet, &name, &args);
            assert_true(slice_is(packet.nsp, "/custom"));
            assert_true(slice_is(name, names[i]));
            assert_true(slice_is(args, payloads[k]));
        }
    }
    buf_finish(&wire);
}

static void several_arguments_and_the_offset_come_back_in_order(void **state)
{
    struct buf array = {.max = 4096};
    struct buf wire = {.max = 4096};
    struct sio_packet packet;
    struct slice name;
    struct slice args;

    (void)state;
    buf_add_byte(&array, '[');
    for (size_t k = 0; k < sizeof payloads / sizeof *payloads; k++) {
        if (k > 0)
            buf_add_byte(&array, ',');
        buf_add_text(&array, payloads[k]);
    }
    buf_add_byte(&array, ']');

    sio_encode_event(&wire, SLICE("/"), SLICE("\"a\""), none, buf_slice(&array), none);
    decode_event(&wire, &packet, &name, &args);
    assert_true(slice_equal(args, sio_array_items(buf_slice(&array))));

    buf_clear(&wire);
    sio_encode_event(&wire, SLICE("/"), SLICE("\"a\""), none, SLICE("[]"), none);
    decode_event(&wire, &packet, &name, &args);
    assert_int_equal(args.len, 0);

    buf_clear(&wire);
    sio_encode_event(&wire, SLICE("/"), SLICE("\"a\""), none, SLICE("[[1],2]"),
                     SLICE("k3Jx9QaT-1z4"));
    decode_event(&wire, &packet, &name, &args);
    assert_true(slice_is(args, "[1],2,\"k3Jx9QaT-1z4\""));
    buf_finish(&array);
    buf_finish(&wire);
}

static void an_ack_returns_the_arguments_untouched(void **state)
{
    struct buf wire = {.max = 4096};
    struct sio_packet packet;
    struct eio_packet frame;

    (void)state;
    for (size_t k = 0; k < sizeof payloads / sizeof *payloads; k++) {
        buf_clear(&wire);
        sio_encode_ack(&wire, SLICE("/n"), 9007199254740991, slice_of(payloads[k]));
        assert_int_equal(eio_decode(buf_slice(&wire), &frame), ST_OK);
        assert_int_equal(sio_decode(frame.data, &json_limits_default, &packet), ST_OK);
        assert_int_equal(packet.ack, 9007199254740991);
        assert_true(slice_is(sio_array_items(packet.json), payloads[k]));
    }
    buf_finish(&wire);
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    for (size_t max = 0; max < 24; max++) {
        struct buf out = {.max = max};
        sio_encode_event(&out, SLICE("/n"), SLICE("\"name\""), SLICE("[1,2]"), none,
                         SLICE("offset"));
        assert_int_equal(buf_status(&out), ST_TOO_LARGE);
        buf_finish(&out);
    }
}

static void accept(const char *name, struct slice sample)
{
    struct eio_packet frame;
    struct sio_packet packet;

    if (eio_decode(sample, &frame) || frame.type != EIO_MESSAGE ||
        sio_decode(frame.data, &json_limits_default, &packet))
        fail_msg("%s is refused", name);
}

static void refuse(const char *name, struct slice sample)
{
    struct eio_packet frame;
    struct sio_packet packet;

    if (eio_decode(sample, &frame) || frame.type != EIO_MESSAGE)
        fail_msg("%s is no Engine.IO message", name);
    if (sio_decode(frame.data, &json_limits_default, &packet) != ST_BAD_PACKET)
        fail_msg("%s is accepted", name);
}

static void the_samples_are_judged_by_their_folder(void **state)
{
    (void)state;
    assert_true(wire_cases_each("sio/valid", accept) >= 10);
    assert_true(wire_cases_each("sio/invalid", refuse) >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_takes_the_head_apart),
        cmocka_unit_test(decode_refuses_a_payload_that_does_not_suit_the_type),
        cmocka_unit_test(decode_refuses_reserved_names_however_they_are_spelt),
        cmocka_unit_test(decode_refuses_what_is_not_a_head),
        cmocka_unit_test(decode_refuses_what_is_not_json),
        cmocka_unit_test(no_beginning_of_an_event_is_an_event),
        cmocka_unit_test(decode_keeps_to_the_limits_of_json),
        cmocka_unit_test(a_very_long_name_is_not_a_reserved_one),
        cmocka_unit_test(an_event_splits_into_name_and_arguments),
        cmocka_unit_test(the_items_of_an_array_stand_without_brackets),
        cmocka_unit_test(the_answers_to_connect_are_objects),
        cmocka_unit_test(an_event_has_data_or_arguments_and_an_offset),
        cmocka_unit_test(acks_and_disconnects_name_their_namespace),
        cmocka_unit_test(what_an_event_carries_comes_back_byte_for_byte),
        cmocka_unit_test(several_arguments_and_the_offset_come_back_in_order),
        cmocka_unit_test(an_ack_returns_the_arguments_untouched),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(the_samples_are_judged_by_their_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

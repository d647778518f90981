#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/eio.h"
#include "support/wire_cases.h"

static void decode_gives_the_type_and_the_rest(void **state)
{
    static const struct {
        struct slice text;
        enum eio_type type;
        const char *data;
    } cases[] = {
        {SLICE("0{}"),        EIO_OPEN,    "{}"      },
        {SLICE("1"),          EIO_CLOSE,   ""        },
        {SLICE("2"),          EIO_PING,    ""        },
        {SLICE("2probe"),     EIO_PING,    "probe"   },
        {SLICE("3"),          EIO_PONG,    ""        },
        {SLICE("4"),          EIO_MESSAGE, ""        },
        {SLICE("42[\"a\"]"),  EIO_MESSAGE, "2[\"a\"]"},
        {SLICE("4a\x1e"
               "b"),
         EIO_MESSAGE,                      "a\x1e"
         "b"                    },
        {SLICE("5"),          EIO_UPGRADE, ""        },
        {SLICE("6"),          EIO_NOOP,    ""        },
        {SLICE("bAQID"),      EIO_BINARY,  "AQID"    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct eio_packet packet;
        assert_int_equal(eio_decode(cases[i].text, &packet), ST_OK);
        assert_int_equal(packet.type, cases[i].type);
        assert_true(slice_is(packet.data, cases[i].data));
    }
}

static void decode_refuses_what_is_not_a_packet(void **state)
{
    static const char *const bad[] = {"",  "7",    "9", "x", " 4",
                                      "B", "\x1e", "/", ":", "a4"};
    struct eio_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(eio_decode(slice_of(bad[i]), &packet), ST_BAD_PACKET);
    assert_int_equal(eio_decode((struct slice){"\0", 1}, &packet), ST_BAD_PACKET);
}

static void accept_and_encode_again(const char *name, struct slice sample)
{
    struct eio_packet packet;
    struct buf out = {.max = sample.len};

    if (eio_decode(sample, &packet))
        fail_msg("%s is refused", name);
    eio_encode(&out, packet.type, packet.data);
    assert_int_equal(buf_status(&out), ST_OK);
    assert_true(slice_equal(buf_slice(&out), sample));
    buf_finish(&out);
}

static void refuse(const char *name, struct slice sample)
{
    struct eio_packet packet;

    if (eio_decode(sample, &packet) != ST_BAD_PACKET)
        fail_msg("%s is accepted", name);
}

static void the_samples_are_judged_by_their_folder(void **state)
{
    (void)state;
    assert_true(wire_cases_each("eio/valid", accept_and_encode_again) >= 5);
    assert_true(wire_cases_each("eio/invalid", refuse) >= 3);
}

static void the_handshake_has_five_keys_in_order(void **state)
{
    struct buf out = {.max = 256};
    struct eio_handshake handshake = {.sid = SLICE("g1abcdefghijklmnopqrstuv"),
                                      .may_upgrade = true,
                                      .ping_interval_ms = 25000,
                                      .ping_timeout_ms = 20000,
                                      .max_payload = 1000000};

    (void)state;
    eio_encode_open(&out, &handshake);
    assert_true(
        slice_is(buf_slice(&out),
                 "0{\"sid\":\"g1abcdefghijklmnopqrstuv\",\"upgrades\":[\"websocket\"],"
                 "\"pingInterval\":25000,\"pingTimeout\":20000,"
                 "\"maxPayload\":1000000}"));

    handshake.may_upgrade = false;
    buf_clear(&out);
    eio_encode_open(&out, &handshake);
    assert_true(slice_is(buf_slice(&out),
                         "0{\"sid\":\"g1abcdefghijklmnopqrstuv\",\"upgrades\":[],"
                         "\"pingInterval\":25000,\"pingTimeout\":20000,"
                         "\"maxPayload\":1000000}"));
    buf_finish(&out);
}

static void a_full_buffer_is_told(void **state)
{
    struct buf out = {.max = 10};
    struct eio_handshake handshake = {.sid = SLICE("s")};

    (void)state;
    eio_encode_open(&out, &handshake);
    assert_int_equal(buf_status(&out), ST_TOO_LARGE);
    buf_finish(&out);
}

static void a_body_is_cut_at_its_separators(void **state)
{
    static const struct {
        struct slice body;
        const char *packets[4];
    } cases[] = {
        {SLICE("4a"),          {"4a"}      },
        {SLICE("4a\x1e"
               "4b"),
         {"4a", "4b"}                      },
        {SLICE("4a\x1e"
               "bAQ==\x1e"
               "3"),
         {"4a", "bAQ==", "3"}              },
 /* Empty packets, for eio_decode to refuse. */
        {SLICE(""),            {""}        },
        {SLICE("4a\x1e"),      {"4a", ""}  },
        {SLICE("\x1e"
               "4a"),
         {"", "4a"}                        },
        {SLICE("\x1e\x1e"),    {"", "", ""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct eio_payload payload = {cases[i].body, true};
        struct slice packet;
        size_t n = 0;
        while (eio_payload_next(&payload, &packet)) {
            assert_non_null(cases[i].packets[n]);
            assert_true(slice_is(packet, cases[i].packets[n]));
            n++;
        }
        assert_null(cases[i].packets[n]);
    }
}

static void a_body_is_joined_and_cut_again(void **state)
{
    struct buf body = {.max = 64};
    struct slice packet;

    (void)state;
    eio_payload_add(&body, SLICE("4first"));
    eio_payload_add_binary(&body, SLICE("\x01\x02\x00\x1e"));
    eio_payload_add(&body, SLICE("2"));
    assert_int_equal(buf_status(&body), ST_OK);
    assert_true(slice_is(buf_slice(&body), "4first\x1e"
                                           "bAQIAHg==\x1e"
                                           "2"));
    struct eio_payload payload = {buf_slice(&body), true};
    assert_true(eio_payload_next(&payload, &packet));
    assert_true(slice_is(packet, "4first"));
    assert_true(eio_payload_next(&payload, &packet));
    assert_true(slice_is(packet, "bAQIAHg=="));
    assert_true(eio_payload_next(&payload, &packet));
    assert_true(slice_is(packet, "2"));
    assert_false(eio_payload_next(&payload, &packet));

    eio_payload_add(&body, SLICE("4 this one does not fit in what is left of the room"));
    assert_int_equal(buf_status(&body), ST_TOO_LARGE);
    buf_finish(&body);
}

/* Counted, not timed: a parser that looks back would visit bytes again. */
static void a_megabyte_of_separators_is_a_megabyte_of_packets(void **state)
{
    enum {
        BYTES = 1000000
    };
    char *bytes = malloc(BYTES);
    struct eio_payload payload = {
        {bytes, BYTES},
        true
    };
    struct slice packet;
    size_t count = 0;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, EIO_SEPARATOR, BYTES);
    while (eio_payload_next(&payload, &packet)) {
        assert_int_equal(packet.len, 0);
        count++;
    }
    assert_int_equal(count, BYTES + 1);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_gives_the_type_and_the_rest),
        cmocka_unit_test(decode_refuses_what_is_not_a_packet),
        cmocka_unit_test(the_samples_are_judged_by_their_folder),
        cmocka_unit_test(the_handshake_has_five_keys_in_order),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(a_body_is_cut_at_its_separators),
        cmocka_unit_test(a_body_is_joined_and_cut_again),
        cmocka_unit_test(a_megabyte_of_separators_is_a_megabyte_of_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

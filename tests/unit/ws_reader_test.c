#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/ws_reader.h"

#include <string.h>

struct case_row {
    const char *bytes;
    size_t len;
    enum status status;
};
#define ROW(bytes, status)                                                               \
    {                                                                                    \
        bytes, sizeof(bytes) - 1, status                                                 \
    }

static enum status read_once(struct slice bytes, struct ws_message *message)
{
    struct ws_reader reader;

    ws_reader_init(&reader);
    ws_reader_feed(&reader, bytes);
    enum status st = ws_reader_next(&reader, message);
    ws_reader_finish(&reader);
    return st;
}

static void a_message_comes_whole_however_it_was_cut(void **state)
{
    (void)state;
    /* "hel" "lo", a ping between them */
    static const char wire[] = "\x01\x03hel\x89\x02hi\x80\x02lo";

    for (size_t cut = 0; cut < sizeof wire; cut++) {
        struct ws_reader reader;
        struct ws_message message;
        struct slice all = {wire, sizeof wire - 1};
        int pings = 0;
        enum status st;

        ws_reader_init(&reader);
        ws_reader_feed(&reader, slice_first(all, cut));
        while ((st = ws_reader_next(&reader, &message)) == ST_OK &&
               message.opcode == WS_OP_PING)
            pings++;
        if (cut < sizeof wire - 1) {
            assert_int_equal(st, ST_AGAIN);
            ws_reader_feed(&reader, slice_from(all, cut));
            while ((st = ws_reader_next(&reader, &message)) == ST_OK &&
                   message.opcode == WS_OP_PING)
                pings++;
        }
        assert_int_equal(st, ST_OK);
        assert_int_equal(pings, 1);
        assert_int_equal(message.opcode, WS_OP_TEXT);
        assert_true(slice_is(message.data, "hello"));
        assert_int_equal(ws_reader_next(&reader, &message), ST_AGAIN);
        ws_reader_finish(&reader);
    }
}

static void lengths_have_three_forms(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 100000};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct buf wire = {.max = 200000};
        struct ws_reader reader;
        struct ws_message message;
        char header[WS_HEADER_BYTES];

        buf_add(&wire, (struct slice){header,
                                      ws_frame_header(header, WS_OP_BINARY, lengths[i])});
        for (size_t k = 0; k < lengths[i]; k++)
            buf_add_byte(&wire, (char)k);
        ws_reader_init(&reader);
        ws_reader_feed(&reader, buf_slice(&wire));
        assert_int_equal(ws_reader_next(&reader, &message), ST_OK);
        assert_int_equal(message.opcode, WS_OP_BINARY);
        assert_int_equal(message.data.len, lengths[i]);
        ws_reader_finish(&reader);
        buf_finish(&wire);
    }
}

static void a_close_tells_its_code_and_reason(void **state)
{
    (void)state;
    struct ws_reader reader;
    struct ws_message message;

    ws_reader_init(&reader);
    ws_reader_feed(&reader, SLICE("\x88\x05\x11\x31"
                                  "bad"));
    assert_int_equal(ws_reader_next(&reader, &message), ST_OK);
    assert_int_equal(message.opcode, WS_OP_CLOSE);
    assert_int_equal(message.close_code, 4401);
    assert_true(slice_is(message.data, "bad"));
    ws_reader_finish(&reader);

    assert_int_equal(read_once((struct slice){"\x88\x00", 2}, &message), ST_OK);
    assert_int_equal(message.close_code, 1005);
}

static void what_breaks_the_protocol_is_refused(void **state)
{
    (void)state;
    static const struct case_row rows[] = {
        ROW("\x81\x80\x01\x02\x03\x04", ST_BAD_PACKET), /* masked by a server */
        ROW("\xc1\x00", ST_BAD_PACKET),                 /* an extension's bit */
        ROW("\x83\x00", ST_BAD_PACKET),                 /* unknown opcode */
        ROW("\x8b\x00", ST_BAD_PACKET),                 /* unknown control opcode */
        ROW("\x09\x00", ST_BAD_PACKET),                 /* control frame in fragments */
        ROW("\x89\x7e\x00\x7e", ST_BAD_PACKET),         /* control frame too long */
        ROW("\x80\x00", ST_BAD_PACKET),                 /* continues nothing */
        ROW("\x01\x01"
            "a\x81\x01"
            "b",
            ST_BAD_PACKET),                         /* begins inside a message */
        ROW("\x81\x01\xff", ST_BAD_PACKET),         /* text that is not UTF-8 */
        ROW("\x88\x01\x03", ST_BAD_PACKET),         /* half a close code */
        ROW("\x88\x03\x03\xe8\xff", ST_BAD_PACKET), /* reason that is not UTF-8 */
        ROW("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", ST_TOO_LARGE),
        ROW("\x82\x7f\x00\x00\x00\x00\x00\x40\x00\x01", ST_TOO_LARGE),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ws_message message;
        assert_int_equal(read_once((struct slice){rows[i].bytes, rows[i].len}, &message),
                         rows[i].status);
    }
}

static void every_prefix_of_a_frame_asks_for_more(void **state)
{
    (void)state;
    static const char wire[] =
        "\x81\x7e\x00\x7e" /* 126 bytes */
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaa";

    assert_int_equal(sizeof wire - 1, 4 + 126);
    for (size_t len = 0; len < sizeof wire - 1; len++) {
        struct ws_message message;
        assert_int_equal(read_once((struct slice){wire, len}, &message), ST_AGAIN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_whole_however_it_was_cut),
        cmocka_unit_test(lengths_have_three_forms),
        cmocka_unit_test(a_close_tells_its_code_and_reason),
        cmocka_unit_test(what_breaks_the_protocol_is_refused),
        cmocka_unit_test(every_prefix_of_a_frame_asks_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

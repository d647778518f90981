#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/ws_frame.h"

#include <string.h>

static void the_length_takes_the_shortest_form(void **state)
{
    static const struct {
        size_t payload;
        size_t header;
        const char *bytes;
    } cases[] = {
        {0,       2,  "\x81\x00"                                },
        {1,       2,  "\x81\x01"                                },
        {125,     2,  "\x81\x7d"                                },
        {126,     4,  "\x81\x7e\x00\x7e"                        },
        {65535,   4,  "\x81\x7e\xff\xff"                        },
        {65536,   10, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
        {1000000, 10, "\x81\x7f\x00\x00\x00\x00\x00\x0f\x42\x40"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[WS_HEADER_BYTES];
        assert_int_equal(ws_frame_header(out, WS_OP_TEXT, cases[i].payload),
                         cases[i].header);
        assert_memory_equal(out, cases[i].bytes, cases[i].header);
    }
}

static void the_first_byte_names_the_opcode(void **state)
{
    static const enum ws_opcode ops[] = {WS_OP_TEXT, WS_OP_BINARY, WS_OP_CLOSE,
                                         WS_OP_PING, WS_OP_PONG};
    static const char first[] = "\x81\x82\x88\x89\x8a";

    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        char out[WS_HEADER_BYTES];
        ws_frame_header(out, ops[i], 0);
        assert_int_equal(out[0], first[i]);
    }
}

static void a_close_carries_code_and_reason(void **state)
{
    char out[WS_CLOSE_BYTES];

    (void)state;
    assert_int_equal(ws_close_frame(out, 4401, SLICE("expired")), 11);
    assert_memory_equal(out,
                        "\x88\x09\x11\x31"
                        "expired",
                        11);
    assert_int_equal(ws_close_frame(out, 1001, (struct slice){0}), 4);
    assert_memory_equal(out, "\x88\x02\x03\xe9", 4);
}

static void a_close_without_a_code_is_empty(void **state)
{
    char out[WS_CLOSE_BYTES];

    (void)state;
    assert_int_equal(ws_close_frame(out, 0, SLICE("unheard")), 2);
    assert_memory_equal(out, "\x88\x00", 2);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    char out[WS_CLOSE_BYTES];
    char reason[200];

    (void)state;
    memset(reason, 'x', sizeof reason);
    assert_int_equal(ws_close_frame(out, 1000, (struct slice){reason, 123}), 127);
    assert_int_equal(ws_close_frame(out, 1000, (struct slice){reason, 124}), 127);
    assert_int_equal(out[1], 125);

    memcpy(reason + 121, "\xe2\x82\xac", 3); /* would end at byte 124 */
    assert_int_equal(ws_close_frame(out, 1000, (struct slice){reason, 200}), 2 + 2 + 121);
    assert_int_equal(ws_close_frame(out, 1000, SLICE("ab\xff")), 2 + 2 + 2);
}

static void what_was_written_is_read_back(void **state)
{
    static const size_t lens[] = {0, 1, 125, 126, 65535, 65536, 70000};
    static char wire[WS_HEADER_BYTES + 70000 + 1];

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        size_t header = ws_frame_header(wire, WS_OP_BINARY, lens[i]);
        struct slice whole = {wire, header + lens[i]};
        struct slice payload;
        enum ws_opcode op;

        assert_int_equal(
            ws_frame_split((struct slice){wire, whole.len + 1}, &op, &payload),
            whole.len);
        assert_int_equal(op, WS_OP_BINARY);
        assert_int_equal(payload.len, lens[i]);
        if (payload.len > 0)
            assert_ptr_equal(payload.ptr, wire + header);
        for (size_t cut = 0; cut < whole.len; cut += cut < 20 ? 1 : 997)
            assert_int_equal(ws_frame_split(slice_first(whole, cut), &op, &payload), 0);
    }
}

static void a_length_beyond_all_memory_is_no_frame(void **state)
{
    static const char wire[] = "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff";
    struct slice payload;
    enum ws_opcode op;

    (void)state;
    assert_int_equal(ws_frame_split((struct slice){wire, 10}, &op, &payload), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_takes_the_shortest_form),
        cmocka_unit_test(the_first_byte_names_the_opcode),
        cmocka_unit_test(a_close_carries_code_and_reason),
        cmocka_unit_test(a_close_without_a_code_is_empty),
        cmocka_unit_test(a_long_reason_is_cut_between_characters),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_length_beyond_all_memory_is_no_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

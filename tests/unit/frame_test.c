/* What is put into a frame comes out of it, message by message. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/frame.h"

static void it_gives_back_the_messages_in_their_order(void **state)
{
    static char large[70000];
    const struct frame_message messages[] = {
        {WS_OP_TEXT,   SLICE("453-[\"x\"]") },
        {WS_OP_BINARY, SLICE("\x00\x81\xff")},
        {WS_OP_BINARY, {0}                  },
        {WS_OP_BINARY, {large, sizeof large}},
    };
    enum {
        COUNT = sizeof messages / sizeof *messages
    };

    (void)state;
    for (size_t count = 1; count <= COUNT; count++) {
        struct frame *frame = frame_create_of(messages, count);
        struct frame_cursor cursor = {0};
        struct frame_message message;

        for (size_t i = 0; i < count; i++) {
            assert_true(frame_next_message(frame, &cursor, &message));
            assert_int_equal(message.op, messages[i].op);
            assert_true(slice_equal(message.payload, messages[i].payload));
        }
        assert_false(frame_next_message(frame, &cursor, &message));
        assert_int_equal(cursor.at, frame_wire(frame).len);
        frame_drop(frame);
    }
}

static void one_message_is_its_header_and_its_bytes(void **state)
{
    struct frame *frame = frame_create(WS_OP_TEXT, SLICE("42"));

    (void)state;
    assert_true(slice_equal(frame_wire(frame), SLICE("\x81\x02"
                                                     "42")));
    frame_drop(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_back_the_messages_in_their_order),
        cmocka_unit_test(one_message_is_its_header_and_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Frames, questions to the log and its pages: round trips, prefixes, lies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/bus_wire.h"
#include "support/wire_messages.h"

static void add_frame(struct buf *out)
{
    struct bus_frame frame = {
        {0xabcdef, 41, 3},
        123456, {0      }
    };

    bus_frame_encode(&frame, out);
    bus_frame_add(out, SLICE("one"));
    bus_frame_add(out, SLICE(""));
    bus_frame_add(out, SLICE("three"));
}

static void add_request(struct buf *out)
{
    struct replay_request request = {
        {0xabcdef, 7},
        99, 1000, 2, {0       }
    };
    struct room_key named = {SLICE("/"), ROOM_NAMED, SLICE("r:1")};
    struct room_key all = {SLICE("/x"), ROOM_ALL, {0}};

    replay_request_encode(&request, out);
    replay_room_add(out, &named);
    replay_base_add(out, 7);
    replay_room_add(out, &all);
    replay_base_add(out, 0);
}

static void add_page(struct buf *out)
{
    struct replay_page page = {
        {0xabcdef, 50},
        3, 9, 2, {0       }
    };
    char head[REPLAY_PAGE_HEAD_BYTES];

    replay_page_encode(&page, head);
    buf_add(out, (struct slice){head, sizeof head});
    replay_page_add(out, 4, SLICE("four"));
    replay_page_add(out, 9, SLICE("nine"));
}

static enum status decode_frame(struct slice bytes)
{
    struct bus_frame frame;
    return bus_frame_decode(bytes, &frame);
}

static enum status decode_request(struct slice bytes)
{
    struct replay_request request;
    return replay_request_decode(bytes, &request);
}

static enum status decode_page(struct slice bytes)
{
    struct replay_page page;
    return replay_page_decode(bytes, &page);
}

static void a_frame_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct bus_frame frame;
    struct slice envelope;

    (void)state;
    add_frame(&wire);
    assert_int_equal(buf_status(&wire), ST_OK);
    assert_int_equal(bus_frame_decode(buf_slice(&wire), &frame), ST_OK);
    assert_true(frame.span.epoch == 0xabcdef && frame.span.first == 41);
    assert_int_equal(frame.span.count, 3);
    assert_true(frame.sent_us == 123456);
    assert_true(bus_frame_next(&frame.blocks, &envelope) && slice_is(envelope, "one"));
    assert_true(bus_frame_next(&frame.blocks, &envelope) && envelope.len == 0);
    assert_true(bus_frame_next(&frame.blocks, &envelope) && slice_is(envelope, "three"));
    assert_false(bus_frame_next(&frame.blocks, &envelope));
    buf_finish(&wire);
}

static void a_beacon_is_a_frame_without_events(void **state)
{
    struct buf wire = {.max = 1000};
    struct bus_frame beacon =
                         {
                             {5,  1, 0},
                             1, {0}
    },
                     frame;

    (void)state;
    bus_frame_encode(&beacon, &wire);
    assert_int_equal(wire.len, BUS_FRAME_HEAD_BYTES);
    assert_int_equal(bus_frame_decode(buf_slice(&wire), &frame), ST_OK);
    assert_int_equal(frame.span.count, 0);
    buf_finish(&wire);
}

static void a_request_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct replay_request request;
    struct room_key room;
    uint64_t base;

    (void)state;
    add_request(&wire);
    assert_int_equal(replay_request_decode(buf_slice(&wire), &request), ST_OK);
    assert_true(request.after.epoch == 0xabcdef && request.after.seq == 7);
    assert_true(request.through == 99 && request.max_bytes == 1000);
    assert_int_equal(request.room_count, 2);
    assert_true(replay_room_next(&request.rooms, &room, &base));
    assert_true(room.kind == ROOM_NAMED && slice_is(room.name, "r:1") && base == 7);
    assert_true(replay_room_next(&request.rooms, &room, &base));
    assert_true(room.kind == ROOM_ALL && slice_is(room.nsp, "/x") && room.name.len == 0);
    assert_false(replay_room_next(&request.rooms, &room, &base));
    buf_finish(&wire);
}

static void a_page_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct replay_page page;
    struct slice envelope;
    uint64_t seq;

    (void)state;
    add_page(&wire);
    assert_int_equal(replay_page_decode(buf_slice(&wire), &page), ST_OK);
    assert_true(page.head.epoch == 0xabcdef && page.head.seq == 50);
    assert_true(page.floor == 3 && page.through == 9 && page.count == 2);
    assert_true(replay_page_next(&page.items, &seq, &envelope));
    assert_true(seq == 4 && slice_is(envelope, "four"));
    assert_true(replay_page_next(&page.items, &seq, &envelope));
    assert_true(seq == 9 && slice_is(envelope, "nine"));
    assert_false(replay_page_next(&page.items, &seq, &envelope));
    buf_finish(&wire);
}

static void only_whole_messages_are_taken(void **state)
{
    static const struct wire_message kinds[] = {
        {add_frame,   decode_frame  },
        {add_request, decode_request},
        {add_page,    decode_page   },
    };

    (void)state;
    assert_only_whole(kinds, sizeof kinds / sizeof *kinds);
}

static void lies_are_refused(void **state)
{
    static const struct wire_lie lies[] = {
        {{add_frame, decode_frame},     0,  2   }, /* version */
        {{add_frame, decode_frame},     1,  'P' }, /* kind */
        {{add_frame, decode_frame},     2,  4   }, /* more events than there are */
        {{add_frame, decode_frame},     2,  2   }, /* fewer */
        {{add_frame, decode_frame},     28, 200 }, /* a length */
        {{add_frame, decode_frame},     31, 0xff},
        {{add_request, decode_request}, 30, 3   }, /* number of rooms */
        {{add_request, decode_request}, 32, 9   }, /* kind of a room */
        {{add_page, decode_page},       26, 8   }, /* through: below the last seq */
        {{add_page, decode_page},       34, 3   }, /* count */
        {{add_page, decode_page},       38, 9   }, /* a seq twice */
    };

    (void)state;
    assert_no_lie(lies, sizeof lies / sizeof *lies);
}

static void seqs_that_wrap_are_refused(void **state)
{
    static const struct stream_span spans[] = {
        {5, UINT64_MAX, 1},
        {5, 0,          0},
        {0, 1,          0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct buf wire = {.max = 1000};
        struct bus_frame frame = {spans[i], 0, {0}};
        bus_frame_encode(&frame, &wire);
        for (size_t n = 0; n < spans[i].count; n++)
            bus_frame_add(&wire, SLICE("x"));
        assert_int_equal(bus_frame_decode(buf_slice(&wire), &frame), ST_BAD_PACKET);
        buf_finish(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_comes_back_as_it_was),
        cmocka_unit_test(a_beacon_is_a_frame_without_events),
        cmocka_unit_test(a_request_comes_back_as_it_was),
        cmocka_unit_test(a_page_comes_back_as_it_was),
        cmocka_unit_test(only_whole_messages_are_taken),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(seqs_that_wrap_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

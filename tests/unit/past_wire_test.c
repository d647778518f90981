/* Catch-up by time between the processes: round trips, prefixes, lies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/past_wire.h"
#include "support/wire_messages.h"

static void add_request(struct buf *out)
{
    const struct past_request request = {
        .through = {0xabcdef, 99},
        .total = 500,
        .oldest_first = true,
        .room_count = 2,
    };
    const struct past_wish wishes[] = {
        {{SLICE("/"), ROOM_NAMED, SLICE("r:1")}, 50, -3, -4},
        {{SLICE("/x"), ROOM_ALL, {0}},           0,  9,  9 },
    };

    past_request_encode(&request, out);
    past_wish_add(out, &wishes[0]);
    past_wish_add(out, &wishes[1]);
}

static void add_answer(struct buf *out)
{
    const struct past_answer answer = {.epoch = 0xabcdef, .count = 7, .room_count = 2};
    const struct past_range ranges[] = {
        {4,  9,  true },
        {50, 50, false},
    };

    past_answer_encode(&answer, out);
    past_range_add(out, &ranges[0]);
    past_range_add(out, &ranges[1]);
}

static enum status decode_request(struct slice bytes)
{
    struct past_request request;
    return past_request_decode(bytes, &request);
}

static enum status decode_answer(struct slice bytes)
{
    struct past_answer answer;
    return past_answer_decode(bytes, &answer);
}

static void a_request_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct past_request request;
    struct past_wish wish;

    (void)state;
    add_request(&wire);
    assert_int_equal(past_request_decode(buf_slice(&wire), &request), ST_OK);
    assert_true(request.through.epoch == 0xabcdef && request.through.seq == 99);
    assert_true(request.total == 500 && request.oldest_first && request.room_count == 2);
    assert_true(past_wish_next(&request.rooms, &wish));
    assert_true(slice_is(wish.room.name, "r:1") && wish.room.kind == ROOM_NAMED);
    assert_true(wish.max == 50 && wish.since_ms == -3 && wish.asked_ms == -4);
    assert_true(past_wish_next(&request.rooms, &wish));
    assert_true(slice_is(wish.room.nsp, "/x") && wish.room.kind == ROOM_ALL);
    assert_false(past_wish_next(&request.rooms, &wish));
    buf_finish(&wire);
}

static void an_answer_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct past_answer answer;
    struct past_range range;

    (void)state;
    add_answer(&wire);
    assert_int_equal(past_answer_decode(buf_slice(&wire), &answer), ST_OK);
    assert_true(answer.epoch == 0xabcdef && answer.count == 7 && answer.room_count == 2);
    assert_true(past_range_next(&answer.ranges, &range));
    assert_true(range.base == 4 && range.top == 9 && range.is_cut);
    assert_true(past_range_next(&answer.ranges, &range));
    assert_true(range.base == 50 && range.top == 50 && !range.is_cut);
    assert_false(past_range_next(&answer.ranges, &range));
    buf_finish(&wire);
}

static void only_whole_messages_are_taken(void **state)
{
    static const struct wire_message kinds[] = {
        {add_request, decode_request},
        {add_answer,  decode_answer },
    };

    (void)state;
    assert_only_whole(kinds, sizeof kinds / sizeof *kinds);
}

static void lies_are_refused(void **state)
{
    static const struct wire_lie lies[] = {
        {{add_request, decode_request}, 0,  2  }, /* version */
        {{add_request, decode_request}, 1,  'Q'}, /* kind */
        {{add_request, decode_request}, 20, 1  }, /* total: beyond the ceiling */
        {{add_request, decode_request}, 23, 3  }, /* number of rooms */
        {{add_request, decode_request}, 23, 0  },
        {{add_request, decode_request}, 24, 9  }, /* too many */
        {{add_request, decode_request}, 25, 9  }, /* kind of a room */
        {{add_request, decode_request}, 55, 0  }, /* asked for later ones than are wished */
        {{add_answer, decode_answer},   1,  'P'},
        {{add_answer, decode_answer},   14, 1  }, /* number of rooms */
        {{add_answer, decode_answer},   14, 3  },
        {{add_answer, decode_answer},   16, 10 }, /* base: above top */
    };

    (void)state;
    assert_no_lie(lies, sizeof lies / sizeof *lies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_as_it_was),
        cmocka_unit_test(an_answer_comes_back_as_it_was),
        cmocka_unit_test(only_whole_messages_are_taken),
        cmocka_unit_test(lies_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

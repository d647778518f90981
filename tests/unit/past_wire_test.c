/* Catch-up by time between the processes: round trips, prefixes, lies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/past_wire.h"

#include <stdlib.h>
#include <string.h>

static void add_request(struct buf *out)
{
    const struct past_request request = {
        .after = {0xabcdef, 7},
        .through = 99,
        .max_bytes = 1000,
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

static void add_page(struct buf *out)
{
    struct buf items = {.max = 100};

    past_page_add(&items, 4, SLICE("four"));
    past_page_add(&items, 9, SLICE("nine"));
    const struct past_page page = {
        0xabcdef, 50, 9, {"\0\1", 2},
           2, buf_slice(&items)
    };
    past_page_encode(&page, out);
    buf_finish(&items);
}

static enum status decode_request(struct slice bytes)
{
    struct past_request request;
    return past_request_decode(bytes, &request);
}

static enum status decode_page(struct slice bytes)
{
    struct past_page page;
    return past_page_decode(bytes, 2, &page);
}

static void a_request_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct past_request request;
    struct past_wish wish;

    (void)state;
    add_request(&wire);
    assert_int_equal(past_request_decode(buf_slice(&wire), &request), ST_OK);
    assert_true(request.after.epoch == 0xabcdef && request.after.seq == 7);
    assert_true(request.through == 99 && request.max_bytes == 1000);
    assert_true(request.total == 500 && request.oldest_first && request.room_count == 2);
    assert_true(past_wish_next(&request.rooms, &wish));
    assert_true(slice_is(wish.room.name, "r:1") && wish.room.kind == ROOM_NAMED);
    assert_true(wish.max == 50 && wish.since_ms == -3 && wish.asked_ms == -4);
    assert_true(past_wish_next(&request.rooms, &wish));
    assert_true(slice_is(wish.room.nsp, "/x") && wish.room.kind == ROOM_ALL);
    assert_false(past_wish_next(&request.rooms, &wish));
    buf_finish(&wire);
}

static void a_page_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct past_page page;
    struct slice envelope;
    uint64_t seq;

    (void)state;
    add_page(&wire);
    assert_int_equal(past_page_decode(buf_slice(&wire), 2, &page), ST_OK);
    assert_true(page.epoch == 0xabcdef && page.end == 50 && page.through == 9);
    assert_true(page.cuts.ptr[0] == 0 && page.cuts.ptr[1] == 1 && page.count == 2);
    assert_true(past_page_next(&page.items, &seq, &envelope));
    assert_true(seq == 4 && slice_is(envelope, "four"));
    assert_true(past_page_next(&page.items, &seq, &envelope));
    assert_true(seq == 9 && slice_is(envelope, "nine"));
    assert_false(past_page_next(&page.items, &seq, &envelope));
    assert_int_equal(past_page_decode(buf_slice(&wire), 3, &page), ST_BAD_PACKET);
    buf_finish(&wire);
}

/* Neither a prefix nor a message with something behind it is one. */
static void only_whole_messages_are_taken(void **state)
{
    static const struct {
        void (*add)(struct buf *out);
        enum status (*decode)(struct slice bytes);
    } kinds[] = {
        {add_request, decode_request},
        {add_page,    decode_page   },
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct buf wire = {.max = 1000};
        kinds[i].add(&wire);
        for (size_t n = 0; n < wire.len; n++) {
            char *copy = malloc(n ? n : 1);
            memcpy(copy, wire.ptr, n);
            assert_int_equal(kinds[i].decode((struct slice){copy, n}), ST_BAD_PACKET);
            free(copy);
        }
        assert_int_equal(kinds[i].decode(buf_slice(&wire)), ST_OK);
        buf_add_byte(&wire, 0);
        assert_int_equal(kinds[i].decode(buf_slice(&wire)), ST_BAD_PACKET);
        buf_finish(&wire);
    }
}

/* One byte changed to another value, by its place in the message. */
static void lies_are_refused(void **state)
{
    static const struct {
        void (*add)(struct buf *out);
        enum status (*decode)(struct slice bytes);
        size_t at;
        int byte;
    } lies[] = {
        {add_request, decode_request, 0,  2  }, /* version */
        {add_request, decode_request, 1,  'Q'}, /* kind */
        {add_request, decode_request, 32, 1  }, /* total: beyond the ceiling */
        {add_request, decode_request, 35, 3  }, /* number of rooms */
        {add_request, decode_request, 35, 0  },
        {add_request, decode_request, 36, 9  }, /* too many */
        {add_request, decode_request, 37, 9  }, /* kind of a room */
        {add_request, decode_request, 67, 0  }, /* asked for later ones than are wished */
        {add_page,    decode_page,    1,  'P'},
        {add_page,    decode_page,    10, 8  }, /* end: before through */
        {add_page,    decode_page,    18, 8  }, /* through: below the last seq */
        {add_page,    decode_page,    26, 1  }, /* cuts */
        {add_page,    decode_page,    32, 3  }, /* count */
        {add_page,    decode_page,    36, 9  }, /* a seq twice */
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct buf wire = {.max = 1000};
        lies[i].add(&wire);
        wire.ptr[lies[i].at] = (char)lies[i].byte;
        assert_int_equal(lies[i].decode(buf_slice(&wire)), ST_BAD_PACKET);
        buf_finish(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_as_it_was),
        cmocka_unit_test(a_page_comes_back_as_it_was),
        cmocka_unit_test(only_whole_messages_are_taken),
        cmocka_unit_test(lies_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

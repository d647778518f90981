/* Rows of the durable log: their events come back, and nothing else does. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/log_row.h"

#include <string.h>

static void every_part_of_a_rows_head_counts(void **state)
{
    const struct log_row row = {7, 9, 10, 1234, SLICE("some events")};
    const struct log_row others[] = {
        {8, 9,  10, 1234, SLICE("some events") },
        {7, 9,  11, 1234, SLICE("some events") },
        {7, 8,  10, 1234, SLICE("some events") },
        {7, 9,  10, 1235, SLICE("some events") },
        {7, 9,  10, 1234, SLICE("some events!")},
        {7, 9,  10, 1234, SLICE("")            },
        {7, 10, 9,  1234, SLICE("some events") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(log_row_checksum(&row) != log_row_checksum(&others[i]));
}

/* Seqs 11 to 15 of epoch 7, of which 12 and 15 were volatile. */
static struct log_row make_row(struct buf *body)
{
    log_row_add(body, 7, 10, 11, SLICE("eleven"));
    log_row_add(body, 7, 10, 13, SLICE("thirteen"));
    log_row_add(body, 7, 10, 14, SLICE("14"));
    return (struct log_row){7, 10, 15, 1234, buf_slice(body)};
}

static void events_come_back_as_they_were(void **state)
{
    static const struct {
        uint64_t seq;
        const char *bytes;
    } expected[] = {
        {11, "eleven"  },
        {13, "thirteen"},
        {14, "14"      }
    };
    struct buf body = {.max = 1000};
    struct log_row row = make_row(&body);
    struct log_row_walk walk;

    (void)state;
    log_row_begin(&walk, &row);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(log_row_next(&walk), ST_OK);
        assert_int_equal(walk.seq, expected[i].seq);
        assert_true(slice_is(walk.bytes, expected[i].bytes));
        assert_true(log_row_is_sound(&walk));
    }
    assert_int_equal(log_row_next(&walk), ST_NOT_FOUND);
    buf_finish(&body);
}

/* The events that can be believed; `*st` is how the walk ended. */
static size_t count_sound(const struct log_row *row, enum status *st)
{
    struct log_row_walk walk;
    size_t count = 0;

    log_row_begin(&walk, row);
    while (!(*st = log_row_next(&walk)))
        count += log_row_is_sound(&walk);
    return count;
}

static void no_part_of_a_row_is_a_row_with_all_events(void **state)
{
    struct buf body = {.max = 1000};
    struct log_row row = make_row(&body);
    enum status st;

    (void)state;
    for (size_t n = 0; n < body.len; n++) {
        row.body.len = n;
        size_t count = count_sound(&row, &st);
        assert_true(count < 3);
        /* Where an event ends the row's own checksum knows better. */
        bool is_between = n == 0 || n == 22 || n == 46;
        assert_int_equal(st, is_between ? ST_NOT_FOUND : ST_BAD_PACKET);
    }
    buf_finish(&body);
}

static void a_flipped_bit_costs_an_event_and_invents_none(void **state)
{
    struct buf body = {.max = 1000};
    struct log_row row = make_row(&body);
    enum status st;

    (void)state;
    for (size_t bit = 0; bit < 8 * body.len; bit++) {
        body.ptr[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(count_sound(&row, &st) < 3);
        body.ptr[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(count_sound(&row, &st), 3);
    buf_finish(&body);
}

static void an_event_is_bound_to_its_place(void **state)
{
    struct buf body = {.max = 1000};
    struct log_row row = make_row(&body);
    const struct log_row others[] = {
        {8, 10, 15, 1234, row.body},
        {7, 11, 16, 1234, row.body},
        {7, 10, 13, 1234, row.body},
    };
    enum status st;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(count_sound(&others[i], &st) < 3);
    assert_int_equal(st, ST_BAD_PACKET); /* the last event is beyond the row */
    buf_finish(&body);
}

static void every_part_of_a_note_counts(void **state)
{
    (void)state;
    uint64_t sum = log_note_checksum(0, SLICE("ab"), 1, SLICE("cd"));
    assert_true(sum != log_note_checksum(1, SLICE("ab"), 1, SLICE("cd")));
    assert_true(sum != log_note_checksum(0, SLICE("a"), 1, SLICE("bcd")));
    assert_true(sum != log_note_checksum(0, SLICE("abc"), 1, SLICE("d")));
    assert_true(sum != log_note_checksum(0, SLICE("ab"), 2, SLICE("cd")));
    assert_true(sum != log_note_checksum(0, SLICE("ab"), 1, SLICE("ce")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_a_rows_head_counts),
        cmocka_unit_test(events_come_back_as_they_were),
        cmocka_unit_test(no_part_of_a_row_is_a_row_with_all_events),
        cmocka_unit_test(a_flipped_bit_costs_an_event_and_invents_none),
        cmocka_unit_test(an_event_is_bound_to_its_place),
        cmocka_unit_test(every_part_of_a_note_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

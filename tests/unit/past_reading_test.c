/* From the past into live events: where the pages end, and what is held begins. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/past_reading.h"

/* Of a page: the seq of each event, 0 at the end; how many of them have room. */
struct page_row {
    const char *what;
    uint64_t seqs[4];
    unsigned room;
    uint64_t through;
    uint64_t read; /* then */
    bool is_nothing;
};

static const struct page_row rows[] = {
    {"all of it",                    {12, 15},     9, 20, 20, false},
    {"nothing in it",                {0},          9, 20, 20, false},
    {"no room for the last",         {12, 15, 17}, 2, 20, 15, false},
    {"no room for any",              {12, 15},     0, 20, 10, false},
    {"it ends where its events end", {12, 15},     9, 15, 15, false},
    {"it could not be read",         {0},          9, 10, 10, true },
    {"the log ends before it",       {0},          9, 5,  10, true },
};

static void a_page_is_read_as_far_as_it_was_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct page_row *row = &rows[i];
        struct past_reading reading;
        past_reading_begin(&reading, 10, 30, true);
        struct past_page page = past_page_begin(&reading);
        for (unsigned k = 0; k < 4 && row->seqs[k]; k++)
            if (past_page_takes(&page, k < row->room))
                past_page_took(&page, row->seqs[k]);
        assert_int_equal(past_page_has_come(&page, &reading, row->through),
                         !row->is_nothing);
        past_reading_turn(&reading, &page, row->through);
        if (reading.read != row->read || reading.position != row->read)
            fail_msg("%s: %d", row->what, (int)reading.read);
        assert_false(past_reading_is_over(&reading));
    }
}

static void after_one_without_room_nothing_is_taken(void **state)
{
    struct past_reading reading;

    (void)state;
    past_reading_begin(&reading, 10, 30, true);
    struct past_page page = past_page_begin(&reading);
    assert_false(past_page_takes(&page, false));
    assert_false(past_page_takes(&page, true));
}

static void nothing_was_sent_before_it_may_be(void **state)
{
    struct past_reading reading;

    (void)state;
    past_reading_begin(&reading, 10, 20, false);
    struct past_page page = past_page_begin(&reading);
    past_reading_turn(&reading, &page, 20);
    assert_int_equal(reading.position, 10);
    past_reading_go(&reading);
    assert_int_equal(reading.position, 20);
    assert_true(past_reading_is_over(&reading));
}

static void what_is_let_go_is_read_instead(void **state)
{
    struct past_reading reading;

    (void)state;
    past_reading_begin(&reading, 10, 20, true);
    struct past_page page = past_page_begin(&reading);
    past_reading_turn(&reading, &page, 20);
    past_reading_extend(&reading, 40);
    assert_false(past_reading_is_over(&reading));
    assert_int_equal(reading.position, 20);
}

static void an_older_past_leaves_the_position_where_it_is(void **state)
{
    struct past_reading reading;

    (void)state;
    past_reading_begin(&reading, 10, 12, true);
    past_reading_reach_back(&reading, 4);
    past_reading_reach_back(&reading, 6);
    assert_int_equal(reading.read, 4);
    struct past_page page = past_page_begin(&reading);
    past_reading_turn(&reading, &page, 8);
    assert_int_equal(reading.position, 10);
    page = past_page_begin(&reading);
    past_reading_turn(&reading, &page, 12);
    assert_int_equal(reading.position, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read_as_far_as_it_was_taken),
        cmocka_unit_test(after_one_without_room_nothing_is_taken),
        cmocka_unit_test(nothing_was_sent_before_it_may_be),
        cmocka_unit_test(what_is_let_go_is_read_instead),
        cmocka_unit_test(an_older_past_leaves_the_position_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

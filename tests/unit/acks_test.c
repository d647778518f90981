/* Acks that a client owes: asked for once, answered once, in time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/acks.h"

enum {
    MAX = 5
};

static void ask(struct acks *acks, uint64_t id, uint64_t now_ms)
{
    acks_ask(acks, MAX, &(struct ack_due){id, now_ms + 100}, now_ms);
}

static void an_answer_counts_once(void **state)
{
    struct acks acks = {0};

    (void)state;
    assert_false(acks_answer(&acks, 0, 0));
    ask(&acks, 0, 0);
    ask(&acks, 9, 0);
    assert_false(acks_answer(&acks, 1, 1));
    assert_true(acks_answer(&acks, 0, 1));
    assert_false(acks_answer(&acks, 0, 1));
    assert_true(acks_answer(&acks, 9, 1));
    assert_int_equal(acks.count, 0);
    acks_finish(&acks);
}

static void an_answer_that_comes_late_is_nobodys(void **state)
{
    struct acks acks = {0};

    (void)state;
    ask(&acks, 1, 0);
    ask(&acks, 2, 50);
    assert_false(acks_answer(&acks, 1, 100));
    assert_true(acks_answer(&acks, 2, 149));
    ask(&acks, 3, 200);
    assert_false(acks_answer(&acks, 3, 300));
    assert_int_equal(acks.count, 0);
    acks_finish(&acks);
}

static void beyond_the_ceiling_the_oldest_is_forgotten(void **state)
{
    struct acks acks = {0};

    (void)state;
    for (uint64_t id = 1; id <= 1000; id++)
        ask(&acks, id, 0);
    assert_int_equal(acks.count, MAX);
    assert_int_equal(acks.cap, MAX);
    assert_false(acks_answer(&acks, 995, 1));
    for (uint64_t id = 996; id <= 1000; id++)
        assert_true(acks_answer(&acks, id, 1));
    acks_finish(&acks);
}

static void what_is_late_makes_room(void **state)
{
    struct acks acks = {0};

    (void)state;
    for (uint64_t id = 1; id <= MAX; id++)
        ask(&acks, id, id);
    ask(&acks, 6, 103); /* 1 to 3 are late by now */
    assert_int_equal(acks.count, 3);
    assert_true(acks_answer(&acks, 4, 103));
    assert_true(acks_answer(&acks, 5, 103));
    assert_true(acks_answer(&acks, 6, 103));
    acks_finish(&acks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_counts_once),
        cmocka_unit_test(an_answer_that_comes_late_is_nobodys),
        cmocka_unit_test(beyond_the_ceiling_the_oldest_is_forgotten),
        cmocka_unit_test(what_is_late_makes_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rates of users and addresses: each has its own, in a table that does not grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/rate_table.h"

#include <stdio.h>

static const struct hash_key key = {1, 2};
static const struct token_rate two_a_second = {2, 1000};

static bool take(struct rate_table *table, size_t index, const char *who, uint64_t now_ms)
{
    return rate_table_take(table, index, slice_of(who), &two_a_second, now_ms);
}

static void each_has_their_own_in_each_rate(void **state)
{
    static const struct {
        size_t index;
        const char *who;
        uint64_t now_ms;
        bool is_let;
    } rows[] = {
        {0, "ada", 5000, true },
        {0, "ada", 5000, true },
        {0, "ada", 5000, false},
        {0, "bob", 5000, true },
        {1, "ada", 5000, true },
        {0, "ada", 5499, false},
        {0, "ada", 5500, true },
        {0, "ada", 5500, false},
        {0, "",    5500, true },
        {0, "ada", 9000, true },
    };
    struct rate_table *table = rate_table_create(&key);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (take(table, rows[i].index, rows[i].who, rows[i].now_ms) != rows[i].is_let)
            fail_msg("row %zu", i);
    rate_table_destroy(table);
}

/* Those seen last are remembered, however many come. */
static void strangers_make_it_forget_and_not_grow(void **state)
{
    struct rate_table *table = rate_table_create(&key);
    char who[16];
    size_t remembered = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(who, sizeof who, "u%d", i);
        assert_true(take(table, 0, who, 1000 + (uint64_t)i));
        take(table, 0, who, 1000 + (uint64_t)i);
    }
    for (int i = 99000; i < 100000; i++) {
        snprintf(who, sizeof who, "u%d", i);
        remembered += !take(table, 0, who, 101000);
    }
    /* Two tokens are back after a second: only the latest half of them is still empty. */
    assert_in_range(remembered, 400, 600);
    rate_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_their_own_in_each_rate),
        cmocka_unit_test(strangers_make_it_forget_and_not_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A flood costs a bounded number of lines a second, and is counted. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/log_quota.h"

static unsigned take(struct log_quota *quota, unsigned tries, uint64_t now_ms)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < tries; i++)
        taken += log_quota_take(quota, now_ms);
    return taken;
}

static void a_second_has_its_lines_and_no_more(void **state)
{
    struct log_quota quota = {0};

    (void)state;
    assert_int_equal(take(&quota, LOG_QUOTA_LINES + 50, 5000), LOG_QUOTA_LINES);
    assert_int_equal(take(&quota, 7, 5000 + LOG_QUOTA_MS - 1), 0);
    assert_int_equal(take(&quota, 10, 5000 + LOG_QUOTA_MS), 10);
}

static void what_was_withheld_is_told_once_its_second_is_over(void **state)
{
    struct log_quota quota = {0};

    (void)state;
    take(&quota, LOG_QUOTA_LINES + 50, 5000);
    assert_int_equal(log_quota_settle(&quota, 5000 + LOG_QUOTA_MS - 1), 0);
    assert_int_equal(log_quota_settle(&quota, 5000 + LOG_QUOTA_MS), 50);
    assert_int_equal(log_quota_settle(&quota, 5000 + LOG_QUOTA_MS), 0);
}

static void a_flood_that_goes_on_is_counted_whole(void **state)
{
    struct log_quota quota = {0};
    uint64_t told = 0, taken = 0;

    (void)state;
    for (uint64_t now_ms = 5000; now_ms < 15000; now_ms += 10) {
        taken += take(&quota, 10, now_ms);
        if (now_ms % 250 == 0)
            told += log_quota_settle(&quota, now_ms);
    }
    told += log_quota_settle(&quota, 20000);
    assert_int_equal(taken, 10 * LOG_QUOTA_LINES);
    assert_int_equal(taken + told, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_has_its_lines_and_no_more),
        cmocka_unit_test(what_was_withheld_is_told_once_its_second_is_over),
        cmocka_unit_test(a_flood_that_goes_on_is_counted_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

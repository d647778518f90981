/* Token buckets: what a rate lets through, second by second. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/token_bucket.h"

static unsigned take_all(struct token_bucket *bucket, const struct token_rate *rate,
                         uint64_t now_ms, unsigned tries)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < tries; i++)
        taken += token_bucket_take(bucket, rate, now_ms);
    return taken;
}

static void a_fresh_bucket_gives_one_window_at_once(void **state)
{
    const struct token_rate rate = {20, 1000};
    struct token_bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, &rate, 5000, 100), 20);
}

static void tokens_come_back_one_by_one(void **state)
{
    const struct token_rate rate = {20, 1000};
    struct token_bucket bucket = {0};

    (void)state;
    take_all(&bucket, &rate, 5000, 100);
    assert_int_equal(take_all(&bucket, &rate, 5049, 100), 0);
    assert_int_equal(take_all(&bucket, &rate, 5050, 100), 1);
    assert_int_equal(take_all(&bucket, &rate, 5550, 100), 10);
    assert_int_equal(take_all(&bucket, &rate, 60000, 100), 20);
    assert_int_equal(take_all(&bucket, &rate, UINT64_MAX, 100), 20);
}

static void refusals_cost_nothing_and_a_long_run_keeps_the_rate(void **state)
{
    const struct token_rate rate = {7, 300};
    struct token_bucket bucket = {0};
    unsigned taken = 0;

    (void)state;
    for (uint64_t now = 1000; now < 1000 + 30 * 300; now++)
        taken += take_all(&bucket, &rate, now, 3);
    assert_in_range(taken, 7 * 30, 7 * 31);
}

static void a_clock_that_stands_or_goes_back_gives_nothing(void **state)
{
    const struct token_rate rate = {2, 1000};
    struct token_bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, &rate, 9000, 3), 2);
    assert_int_equal(take_all(&bucket, &rate, 9000, 3), 0);
    assert_int_equal(take_all(&bucket, &rate, 8000, 3), 0);
}

static void a_bucket_that_is_full_again_may_be_forgotten(void **state)
{
    const struct token_rate rate = {10, 1000};
    struct token_bucket bucket = {0};

    (void)state;
    assert_true(token_bucket_is_full(&bucket, &rate, 100));
    take_all(&bucket, &rate, 100, 2);
    assert_false(token_bucket_is_full(&bucket, &rate, 299));
    assert_true(token_bucket_is_full(&bucket, &rate, 300));
}

static void no_rate_is_no_limit(void **state)
{
    const struct token_rate rate = {0};
    struct token_bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, &rate, 1, 1000), 1000);
}

static void rates_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        struct token_rate rate;
    } good[] = {
        {"5000/s",     {5000, 1000}      },
        {"10/5s",      {10, 5000}        },
        {"1/250ms",    {1, 250}          },
        {"1000000/1h", {1000000, 3600000}},
        {"off",        {0, 0}            },
    };
    static const char *const bad[] = {
        "",      "5000", "/s",    "0/s", "5/",        "5/0s",  "-1/s", "1.5/s", "5 / s",
        "5/sec", "5/2h", "1e3/s", "OFF", "1000001/s", "5/s/s", "5/5",  "+5/1s", "٣/s"};
    struct token_rate rate;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(token_rate_parse(slice_of(good[i].text), &rate, &reason), ST_OK);
        assert_int_equal(rate.count, good[i].rate.count);
        assert_int_equal(rate.window_ms, good[i].rate.window_ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reason = NULL;
        assert_int_equal(token_rate_parse(slice_of(bad[i]), &rate, &reason),
                         ST_BAD_PAYLOAD);
        assert_non_null(reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_bucket_gives_one_window_at_once),
        cmocka_unit_test(tokens_come_back_one_by_one),
        cmocka_unit_test(refusals_cost_nothing_and_a_long_run_keeps_the_rate),
        cmocka_unit_test(a_clock_that_stands_or_goes_back_gives_nothing),
        cmocka_unit_test(a_bucket_that_is_full_again_may_be_forgotten),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(rates_are_read_as_people_write_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

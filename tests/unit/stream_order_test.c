/* Only the next seq of the same epoch is applied. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/stream_order.h"

static void each_span_gets_its_verdict(void **state)
{
    static const struct {
        uint64_t applied;
        struct stream_span span;
        enum stream_verdict verdict;
        size_t skip;
    } cases[] = {
        {0,          {7, 1, 1},          STREAM_APPLY,     0},
        {0,          {7, 1, 0},          STREAM_SKIP,      0},
        {0,          {7, 2, 0},          STREAM_GAP,       0},
        {0,          {7, 2, 5},          STREAM_GAP,       0},
        {10,         {7, 11, 3},         STREAM_APPLY,     0},
        {10,         {7, 10, 3},         STREAM_APPLY,     1},
        {10,         {7, 5, 7},          STREAM_APPLY,     6},
        {10,         {7, 5, 6},          STREAM_SKIP,      0},
        {10,         {7, 10, 1},         STREAM_SKIP,      0},
        {10,         {7, 1, 1},          STREAM_SKIP,      0},
        {10,         {7, 11, 0},         STREAM_SKIP,      0},
        {10,         {7, 12, 0},         STREAM_GAP,       0},
        {10,         {7, 12, 1},         STREAM_GAP,       0},
        {10,         {8, 11, 1},         STREAM_NEW_EPOCH, 0},
        {10,         {8, 1, 0},          STREAM_NEW_EPOCH, 0},
        {UINT64_MAX, {7, UINT64_MAX, 0}, STREAM_SKIP,      0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct position applied = {7, cases[i].applied};
        size_t skip = 99;
        assert_int_equal(stream_order(&applied, &cases[i].span, &skip), cases[i].verdict);
        assert_int_equal(skip, cases[i].skip);
    }
}

/* Whatever comes in whatever order and number: what is applied has no hole, no repeat. */
static void random_spans_never_leave_a_hole(void **state)
{
    uint64_t seed = 42;
    struct position applied = {7, 0};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        struct stream_span span = {7, 1 + applied.seq + (seed >> 33) % 7,
                                   (seed >> 40) % 5};
        span.first -= span.first > 4 ? 3 : 0;
        size_t skip;
        if (stream_order(&applied, &span, &skip) != STREAM_APPLY)
            continue;
        assert_true(span.first + skip == applied.seq + 1);
        assert_true(skip < span.count);
        applied.seq = span.first + span.count - 1;
    }
    assert_true(applied.seq > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_span_gets_its_verdict),
        cmocka_unit_test(random_spans_never_leave_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log in memory keeps order, tells its ceilings, and reads in pages. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/event_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct event_log_limits wide = {1000000, 100000, 1 << 30};

/* Appends `count` events that carry their seq as text; every nth is volatile. */
static void append(struct event_log *log, size_t count, size_t nth_volatile,
                   uint64_t now_ms)
{
    struct event_log_state state;
    uint64_t first;

    for (size_t i = 0; i < count; i++) {
        event_log_state(log, &state);
        char text[24];
        int n =
            snprintf(text, sizeof text, "%llu", (unsigned long long)state.head.seq + 1);
        struct event_log_entry entry = {.bytes = strdup(text), .len = (size_t)n};
        entry.is_volatile = nth_volatile && (state.head.seq + 1) % nth_volatile == 0;
        assert_int_equal(event_log_append(log, &entry, 1, now_ms, &first), ST_OK);
        assert_true(first == state.head.seq + 1);
        if (entry.is_volatile)
            free(entry.bytes);
    }
}

struct reading {
    uint64_t first, last, count;
    uint64_t stop_after; /* 0: never */
};

static bool visit(void *ctx, uint64_t seq, struct slice envelope)
{
    struct reading *reading = ctx;
    uint64_t carried;

    if (reading->stop_after && reading->count == reading->stop_after)
        return false;
    assert_true(slice_to_u64(envelope, &carried) && carried == seq);
    assert_true(seq > reading->last);
    reading->first = reading->first ? reading->first : seq;
    reading->last = seq;
    reading->count++;
    return true;
}

static struct reading read_log(struct event_log *log, uint64_t after, uint64_t through,
                               uint64_t stop_after, uint64_t *read_through)
{
    struct reading reading = {.stop_after = stop_after};
    struct event_log_state state;

    event_log_read(log, after, through, NULL, visit, &reading, &state, read_through);
    return reading;
}

static void a_read_gives_what_was_asked_for(void **state)
{
    static const struct {
        uint64_t after, through, stop_after;
        uint64_t first, last, count, read_through;
    } cases[] = {
        {0,   UINT64_MAX, 0, 1,  99, 90, 100},
        {0,   9,          0, 1,  9,  9,  9  },
        {0,   10,         0, 1,  9,  9,  10 },
        {50,  60,         0, 51, 59, 9,  60 },
        {50,  UINT64_MAX, 3, 51, 53, 3,  53 },
        {57,  UINT64_MAX, 2, 58, 59, 2,  60 },
        {100, UINT64_MAX, 0, 0,  0,  0,  100},
        {200, UINT64_MAX, 0, 0,  0,  0,  100},
    };
    struct event_log *log = event_log_create(7, &wide);

    (void)state;
    append(log, 100, 10, 0); /* every tenth is volatile */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t through;
        struct reading reading = read_log(log, cases[i].after, cases[i].through,
                                          cases[i].stop_after, &through);
        assert_int_equal(reading.first, cases[i].first);
        assert_int_equal(reading.last, cases[i].last);
        assert_int_equal(reading.count, cases[i].count);
        assert_int_equal(through, cases[i].read_through);
    }
    event_log_destroy(log);
}

static void a_long_read_comes_in_pages(void **state)
{
    struct event_log *log = event_log_create(7, &wide);
    uint64_t after = 0, through, count = 0;
    int pages = 0;

    (void)state;
    append(log, 10000, 0, 0);
    while (after < 10000) {
        count += read_log(log, after, UINT64_MAX, 0, &through).count;
        assert_true(through > after);
        after = through;
        pages++;
    }
    assert_int_equal(count, 10000);
    assert_int_equal(pages, 3);
    event_log_destroy(log);
}

static void each_ceiling_removes_the_oldest(void **state)
{
    static const struct {
        struct event_log_limits keep;
        uint64_t floor, events;
    } cases[] = {
        {{1000000, 100, 1 << 30},    900, 100 },
        {{1000000, 100000, 303},     900, 100 }, /* three digits each, and "1000" */
        {{50, 100000, 1 << 30},      500, 500 }, /* the first half is older */
        {{1000000, 100000, 1 << 30}, 0,   1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct event_log *log = event_log_create(7, &cases[i].keep);
        struct event_log_state seen;
        uint64_t through;
        append(log, 500, 0, 1000);
        append(log, 500, 0, 1100);
        while (event_log_trim(log, 1120))
            ;
        event_log_state(log, &seen);
        assert_true(seen.events <= cases[i].events && seen.events + 2 > cases[i].events);
        assert_true(seen.floor >= cases[i].floor && seen.floor < cases[i].floor + 2);
        assert_true(seen.evicted == seen.floor);
        struct reading reading = read_log(log, 0, UINT64_MAX, 0, &through);
        assert_int_equal(reading.first, seen.floor + 1);
        assert_int_equal(reading.last, 1000);
        event_log_destroy(log);
    }
}

static void trimming_goes_in_slices(void **state)
{
    static const struct event_log_limits keep = {1000000, 0, 1 << 30};
    struct event_log *log = event_log_create(7, &keep);
    int slices = 1;

    (void)state;
    append(log, 2500, 0, 0);
    while (event_log_trim(log, 0))
        slices++;
    assert_int_equal(slices, 3);
    event_log_destroy(log);
}

static void a_volatile_event_moves_no_mark(void **state)
{
    static const struct event_log_limits keep = {10, 100, 1000};
    struct event_log *log = event_log_create(7, &keep);
    struct event_log_state seen;

    (void)state;
    append(log, 5, 1, 0);
    assert_false(event_log_trim(log, 1000000));
    event_log_state(log, &seen);
    assert_true(seen.head.seq == 5 && seen.head.epoch == 7);
    assert_true(seen.floor == 0 && seen.events == 0);
    event_log_destroy(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_gives_what_was_asked_for),
        cmocka_unit_test(a_long_read_comes_in_pages),
        cmocka_unit_test(each_ceiling_removes_the_oldest),
        cmocka_unit_test(trimming_goes_in_slices),
        cmocka_unit_test(a_volatile_event_moves_no_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The timer wheel, against a model that looks at every deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/timer_wheel.h"

#include <stdlib.h>
#include <string.h>

enum {
    NODES = 64,
    STEPS = 40000,
};

struct watch {
    struct timer_node node; /* first: a node is its watch */
    bool is_armed;          /* what the model thinks */
    unsigned fired;
};

struct bench {
    struct timer_wheel wheel;
    struct watch watches[NODES];
    uint64_t now_ms;
    uint64_t seed;
    size_t fired;
};

static struct bench *make(uint64_t now_ms)
{
    struct bench *bench = calloc(1, sizeof *bench);

    assert_non_null(bench);
    bench->now_ms = now_ms;
    bench->seed = 0x9e3779b97f4a7c15u;
    timer_wheel_init(&bench->wheel, now_ms);
    return bench;
}

static uint64_t next_random(struct bench *bench)
{
    bench->seed ^= bench->seed << 13;
    bench->seed ^= bench->seed >> 7;
    bench->seed ^= bench->seed << 17;
    return bench->seed;
}

static void count(struct timer_node *node, void *ctx)
{
    struct bench *bench = ctx;

    assert_false(timer_node_is_armed(node));
    assert_true(node->due_ms <= bench->now_ms);
    ((struct watch *)node)->fired++;
    bench->fired++;
}

static void advance(struct bench *bench, uint64_t now_ms)
{
    bench->now_ms = now_ms;
    timer_wheel_advance(&bench->wheel, now_ms, count, bench);
}

static void an_empty_wheel_has_nothing_to_wait_for(void **state)
{
    struct bench *bench = make(1000);
    uint64_t due;

    assert_false(timer_wheel_next(&bench->wheel, &due));
    advance(bench, UINT64_MAX / 2);
    assert_int_equal(bench->fired, 0);
    free(bench);
    (void)state;
}

static void a_node_is_due_on_time_and_once(void **state)
{
    static const uint64_t delays[] = {1,     7,     8,     9,     1000,
                                      25000, 32768, 32769, 45000, 3600000};

    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct bench *bench = make(123456);
        uint64_t due = 123456 + delays[i];
        uint64_t next;
        timer_wheel_set(&bench->wheel, &bench->watches[0].node, due);
        assert_true(timer_wheel_next(&bench->wheel, &next));
        assert_true(next < due + TIMER_TICK_MS);

        advance(bench, due - 1);
        assert_int_equal(bench->fired, 0);
        assert_true(timer_node_is_armed(&bench->watches[0].node));
        advance(bench, due + TIMER_TICK_MS);
        assert_int_equal(bench->fired, 1);
        assert_false(timer_node_is_armed(&bench->watches[0].node));
        advance(bench, due + 10000000);
        assert_int_equal(bench->fired, 1);
        assert_false(timer_wheel_next(&bench->wheel, &next));
        free(bench);
    }
    (void)state;
}

static void a_time_that_has_passed_is_due_in_the_next_tick(void **state)
{
    struct bench *bench = make(80000);
    uint64_t next;

    timer_wheel_set(&bench->wheel, &bench->watches[0].node, 5);
    assert_true(timer_wheel_next(&bench->wheel, &next));
    assert_int_equal(next, 80000 + TIMER_TICK_MS);
    advance(bench, next);
    assert_int_equal(bench->fired, 1);
    free(bench);
    (void)state;
}

static void cancelling_is_safe_at_any_time(void **state)
{
    struct bench *bench = make(0);
    struct timer_node *node = &bench->watches[0].node;
    uint64_t next;

    timer_wheel_cancel(&bench->wheel, node);
    timer_wheel_set(&bench->wheel, node, 100);
    timer_wheel_set(&bench->wheel, node, 200);
    timer_wheel_cancel(&bench->wheel, node);
    timer_wheel_cancel(&bench->wheel, node);
    assert_false(timer_wheel_next(&bench->wheel, &next));
    advance(bench, 1000);
    assert_int_equal(bench->fired, 0);
    free(bench);
    (void)state;
}

static void moving_a_node_forgets_its_old_time(void **state)
{
    struct bench *bench = make(0);
    struct timer_node *node = &bench->watches[0].node;

    timer_wheel_set(&bench->wheel, node, 100);
    timer_wheel_set(&bench->wheel, node, 5000);
    advance(bench, 4000);
    assert_int_equal(bench->fired, 0);
    timer_wheel_set(&bench->wheel, node, 4100);
    advance(bench, 4200);
    assert_int_equal(bench->fired, 1);
    free(bench);
    (void)state;
}

static void time_that_stands_or_goes_back_does_nothing(void **state)
{
    struct bench *bench = make(1000);

    timer_wheel_set(&bench->wheel, &bench->watches[0].node, 1000);
    advance(bench, 1000);
    advance(bench, 500);
    assert_int_equal(bench->fired, 0);
    advance(bench, 1008);
    assert_int_equal(bench->fired, 1);
    free(bench);
    (void)state;
}

/* Re-arms itself in the past, cancels one neighbour and moves another. */
static void meddle(struct timer_node *node, void *ctx)
{
    struct bench *bench = ctx;
    struct watch *watches = bench->watches;

    ((struct watch *)node)->fired++;
    timer_wheel_set(&bench->wheel, node, 1);
    timer_wheel_cancel(&bench->wheel, &watches[1].node);
    memset(&watches[1].node, 0xee, sizeof watches[1].node); /* as if it were freed */
    timer_wheel_set(&bench->wheel, &watches[2].node, bench->now_ms + 100);
}

static void a_call_may_set_and_cancel_any_node(void **state)
{
    struct bench *bench = make(0);

    for (size_t i = 0; i < 3; i++)
        timer_wheel_set(&bench->wheel, &bench->watches[i].node, 50);
    bench->now_ms = 90000;
    timer_wheel_advance(&bench->wheel, bench->now_ms, meddle, bench);
    assert_int_equal(bench->watches[0].fired, 1); /* not again in the same advance */
    assert_int_equal(bench->watches[1].fired, 0);
    assert_int_equal(bench->watches[2].fired, 0);

    advance(bench, 90008);
    assert_int_equal(bench->watches[0].fired, 2);
    advance(bench, 90108);
    assert_int_equal(bench->watches[2].fired, 1);
    free(bench);
    (void)state;
}

static void note_order(struct timer_node *node, void *ctx)
{
    uint64_t *last = ctx;

    assert_true(node->due_ms >= *last);
    *last = node->due_ms;
}

static void nodes_come_in_the_order_of_their_ticks(void **state)
{
    struct bench *bench = make(0);
    uint64_t last = 0;

    for (size_t i = 0; i < NODES; i++)
        timer_wheel_set(&bench->wheel, &bench->watches[i].node,
                        8 * (1 + (i * 37) % NODES));
    timer_wheel_advance(&bench->wheel, 10000, note_order, &last);
    assert_int_equal(last, 8 * NODES);
    free(bench);
    (void)state;
}

static uint64_t random_delay(struct bench *bench)
{
    switch (next_random(bench) % 4) {
    case 0: return next_random(bench) % 20;
    case 1: return next_random(bench) % 2000;
    case 2: return next_random(bench) % 40000;
    default: return next_random(bench) % 200000;
    }
}

static void fire_by_model(struct timer_node *node, void *ctx)
{
    struct bench *bench = ctx;
    struct watch *watch = (struct watch *)node;

    assert_true(watch->is_armed);
    assert_true(node->due_ms <= bench->now_ms);
    watch->is_armed = false;
    if (next_random(bench) % 4 == 0) {
        timer_wheel_set(&bench->wheel, node, bench->now_ms + random_delay(bench));
        watch->is_armed = true;
    }
}

/* Nothing armed is overdue by a tick, and the next wake-up is not too late for any. */
static void compare_with_model(struct bench *bench)
{
    uint64_t earliest = UINT64_MAX;
    uint64_t next = 0;
    size_t armed = 0;

    for (size_t i = 0; i < NODES; i++) {
        const struct watch *watch = &bench->watches[i];
        assert_int_equal(timer_node_is_armed(&watch->node), watch->is_armed);
        if (!watch->is_armed)
            continue;
        armed++;
        if (watch->node.due_ms < earliest)
            earliest = watch->node.due_ms;
    }
    assert_int_equal(bench->wheel.count, armed);
    assert_int_equal(timer_wheel_next(&bench->wheel, &next), armed > 0);
    if (armed == 0)
        return;
    assert_true(earliest + TIMER_TICK_MS > bench->now_ms);
    assert_true(next > bench->now_ms);
    uint64_t from = earliest > bench->now_ms ? earliest : bench->now_ms;
    assert_true(next <= from + TIMER_TICK_MS);
}

static void random_operations_agree_with_the_model(void **state)
{
    struct bench *bench = make(777);

    for (size_t step = 0; step < STEPS; step++) {
        struct watch *watch = &bench->watches[next_random(bench) % NODES];
        switch (next_random(bench) % 8) {
        case 0:
        case 1:
        case 2:
            timer_wheel_set(&bench->wheel, &watch->node,
                            bench->now_ms + random_delay(bench));
            watch->is_armed = true;
            break;
        case 3:
            timer_wheel_cancel(&bench->wheel, &watch->node);
            watch->is_armed = false;
            break;
        case 4:
            timer_wheel_next(&bench->wheel, &bench->now_ms);
            timer_wheel_advance(&bench->wheel, bench->now_ms, fire_by_model, bench);
            break;
        default:
            bench->now_ms += random_delay(bench) / (step % 100 ? 50 : 1);
            timer_wheel_advance(&bench->wheel, bench->now_ms, fire_by_model, bench);
            break;
        }
        compare_with_model(bench);
    }
    free(bench);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_wheel_has_nothing_to_wait_for),
        cmocka_unit_test(a_node_is_due_on_time_and_once),
        cmocka_unit_test(a_time_that_has_passed_is_due_in_the_next_tick),
        cmocka_unit_test(cancelling_is_safe_at_any_time),
        cmocka_unit_test(moving_a_node_forgets_its_old_time),
        cmocka_unit_test(time_that_stands_or_goes_back_does_nothing),
        cmocka_unit_test(a_call_may_set_and_cancel_any_node),
        cmocka_unit_test(nodes_come_in_the_order_of_their_ticks),
        cmocka_unit_test(random_operations_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

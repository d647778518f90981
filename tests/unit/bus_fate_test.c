/* What the bus shim does to frames: read from text, the same for the same seed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/testing/bus_fate.h"

static void a_plan_that_cannot_be_read_is_refused(void **state)
{
    static const char *const bad[] = {
        "",          "x",       "1:drop",     "1:drop=",    "1:drop=101", "1:dup=-1",
        "1:delay=3", "1:lose=", "1:pigeon=1", "1:drop=1,,", ":drop=1"};
    struct bus_plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (bus_plan_parse(&plan, slice_of(bad[i])))
            fail_msg("read: %s", bad[i]);
    assert_true(bus_plan_parse(&plan, SLICE("9")));
    assert_true(bus_plan_parse(&plan, SLICE("9:drop=1,lose=tail-,record=/tmp/x")));
    assert_string_equal(plan.lose, "tail-");
}

static void rates_are_kept_and_a_seed_repeats_them(void **state)
{
    struct bus_plan plan, again;
    struct bus_fate fate, same;
    unsigned lost = 0, twice = 0, late = 0;

    (void)state;
    assert_true(bus_plan_parse(&plan, SLICE("7:drop=20,dup=5,reorder=10,delay=3ms")));
    again = plan;
    for (int i = 0; i < 10000; i++) {
        bus_fate_draw(&plan, SLICE("frame"), &fate);
        bus_fate_draw(&again, SLICE("frame"), &same);
        assert_memory_equal(&fate, &same, sizeof fate);
        lost += fate.copies == 0;
        twice += fate.copies == 2;
        late += fate.copies > 0 && fate.after_ms[0] > 3;
        assert_true(fate.copies == 0 || fate.after_ms[0] >= 3);
    }
    assert_in_range(lost, 1800, 2200);
    assert_in_range(twice, 300, 500); /* 5 % of what is not lost */
    assert_in_range(late, 700, 900);
}

static void a_frame_with_the_text_is_lost(void **state)
{
    struct bus_plan plan;
    struct bus_fate fate;

    (void)state;
    assert_true(bus_plan_parse(&plan, SLICE("7:lose=last")));
    bus_fate_draw(&plan, SLICE("the last one"), &fate);
    assert_int_equal(fate.copies, 0);
    bus_fate_draw(&plan, SLICE("the las"), &fate);
    assert_int_equal(fate.copies, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_that_cannot_be_read_is_refused),
        cmocka_unit_test(rates_are_kept_and_a_seed_repeats_them),
        cmocka_unit_test(a_frame_with_the_text_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

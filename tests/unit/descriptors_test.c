/* How many descriptors there are, and how many of them are for clients. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/descriptors.h"

#include <sys/resource.h>

static void the_limit_is_raised_as_far_as_it_may_be_and_never_lowered(void **state)
{
    struct rlimit before, now;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit small = {.rlim_cur = 100, .rlim_max = 300};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    assert_int_equal(descriptors_raise(50), 100);
    assert_int_equal(descriptors_raise(200), 200);
    getrlimit(RLIMIT_NOFILE, &now);
    assert_int_equal(now.rlim_cur, 200);
    assert_int_equal(descriptors_raise(1000000), 300);
}

static void the_limit_can_be_set_lower(void **state)
{
    struct rlimit now;

    (void)state;
    assert_int_equal(descriptors_set(90), 90);
    getrlimit(RLIMIT_NOFILE, &now);
    assert_int_equal(now.rlim_cur, 90);
    assert_int_equal(descriptors_set(120), 120);
    assert_int_equal(descriptors_set(1000000), 300);
}

static void clients_leave_the_last_ones_to_us(void **state)
{
    (void)state;
    assert_int_equal(descriptors_for_clients(100), 75);
    assert_int_equal(descriptors_for_clients(256), 192);
    assert_int_equal(descriptors_for_clients(1024), 1024 - DESCRIPTORS_RESERVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_raised_as_far_as_it_may_be_and_never_lowered),
        cmocka_unit_test(the_limit_can_be_set_lower),
        cmocka_unit_test(clients_leave_the_last_ones_to_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

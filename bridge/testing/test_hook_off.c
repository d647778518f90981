/* A release knows no sabotage switch: see the header. */
#include "bridge/testing/test_hook.h"

#include <stddef.h>

bool test_hook_set(const char *spec)
{
    (void)spec;
    return false;
}

bool test_hook_no_replay(void)
{
    return false;
}

bool test_hook_no_checksum(void)
{
    return false;
}

bool test_hook_no_idempotency(void)
{
    return false;
}

bool test_hook_no_recent(void)
{
    return false;
}

bool test_hook_no_recheck(void)
{
    return false;
}

bool test_hook_no_evict(void)
{
    return false;
}

bool test_hook_no_dedupe(void)
{
    return false;
}

bool test_hook_no_window(void)
{
    return false;
}

bool test_hook_no_drain(void)
{
    return false;
}

bool test_hook_no_last_answer(void)
{
    return false;
}

bool test_hook_no_sessions(void)
{
    return false;
}

int64_t test_hook_clock_ahead_ms(void)
{
    return 0;
}

unsigned test_hook_boot(void)
{
    return 0;
}

void test_hook_crash_at(const char *point)
{
    (void)point;
}

void test_hook_hold_commit(void)
{
}

bool test_hook_half_reload(void)
{
    return false;
}

unsigned test_hook_drop_frame(void)
{
    return 0;
}

const struct bus_plan *test_hook_bus_plan(void)
{
    return NULL;
}

unsigned test_hook_leak_check_ms(void)
{
    return 0;
}

bool test_hook_found_leaks(void)
{
    return false;
}

void test_hook_given_away(const void *memory)
{
    (void)memory;
}

/* Sabotage switches of the testing builds: see the header. */
#include "bridge/testing/test_hook.h"

#include <stdlib.h>
#include <string.h>

/* Of the leak checker; NULL where it is not linked (the thread sanitizer has none). */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
void __lsan_ignore_object(const void *memory) __attribute__((weak));

/* The one mutable global of the program: no part of it exists in a release. */
static struct {
    bool no_replay;
    bool half_reload;
    unsigned drop_frame;
    bool has_bus_plan;
    struct bus_plan bus_plan;
} hooks;

bool test_hook_set(const char *spec)
{
    if (strcmp(spec, "no-replay") == 0) {
        hooks.no_replay = true;
        return true;
    }
    if (strcmp(spec, "half-reload") == 0) {
        hooks.half_reload = true;
        return true;
    }
    if (strncmp(spec, "drop-frame=", 11) == 0) {
        hooks.drop_frame = (unsigned)strtoul(spec + 11, NULL, 10);
        return hooks.drop_frame > 0;
    }
    if (strncmp(spec, "bus-shim=", 9) == 0) {
        hooks.has_bus_plan = bus_plan_parse(&hooks.bus_plan, slice_of(spec + 9));
        return hooks.has_bus_plan;
    }
    return false;
}

bool test_hook_no_replay(void)
{
    return hooks.no_replay;
}

bool test_hook_half_reload(void)
{
    return hooks.half_reload;
}

unsigned test_hook_drop_frame(void)
{
    return hooks.drop_frame;
}

const struct bus_plan *test_hook_bus_plan(void)
{
    return hooks.has_bus_plan ? &hooks.bus_plan : NULL;
}

unsigned test_hook_leak_check_ms(void)
{
    return 5000;
}

bool test_hook_found_leaks(void)
{
    return __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0;
}

void test_hook_given_away(const void *memory)
{
    if (__lsan_ignore_object)
        __lsan_ignore_object(memory);
}

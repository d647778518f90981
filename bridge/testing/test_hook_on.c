/* Sabotage switches of the testing builds: see the header. */
#include "bridge/testing/test_hook.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the leak checker; NULL where it is not linked (the thread sanitizer has none). */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
void __lsan_ignore_object(const void *memory) __attribute__((weak));

/* The one mutable global of the program: no part of it exists in a release. */
static struct {
    bool no_replay;
    bool half_reload;
    bool no_checksum;
    bool no_idempotency;
    bool no_recheck;
    bool no_recent;
    bool no_evict;
    bool no_dedupe;
    bool no_window;
    bool no_drain;
    bool no_last_answer;
    bool no_sessions;
    const volatile int64_t *clock_ahead_ms; /* a mapped file, or NULL; as the next */
    const volatile int64_t *holds_commit;
    char crash_on[32]; /* the point; empty: none */
    atomic_uint crash_after;
    unsigned drop_frame;
    unsigned boot;
    bool has_bus_plan;
    struct bus_plan bus_plan;
} hooks;

static bool set_crash(const char *spec)
{
    size_t len = strcspn(spec, ":");

    if (len == 0 || len >= sizeof hooks.crash_on)
        return false;
    memcpy(hooks.crash_on, spec, len);
    hooks.crash_on[len] = 0;
    unsigned after = spec[len] ? (unsigned)strtoul(spec + len + 1, NULL, 10) : 1;
    atomic_store(&hooks.crash_after, after);
    return after > 0;
}

/* Mapped for the life of the process: whoever writes the file sets the number. */
static bool set_number(const char *file, const volatile int64_t **number)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    void *memory = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return false;
    *number = memory;
    return true;
}

static bool set_switch(const char *spec)
{
    const struct {
        const char *name;
        bool *is_on;
    } switches[] = {
        {"no-replay",      &hooks.no_replay     },
        {"half-reload",    &hooks.half_reload   },
        {"no-checksum",    &hooks.no_checksum   },
        {"no-idempotency", &hooks.no_idempotency},
        {"no-recheck",     &hooks.no_recheck    },
        {"no-recent",      &hooks.no_recent     },
        {"no-evict",       &hooks.no_evict      },
        {"no-dedupe",      &hooks.no_dedupe     },
        {"no-window",      &hooks.no_window     },
        {"no-drain",       &hooks.no_drain      },
        {"no-last-answer", &hooks.no_last_answer},
        {"no-sessions",    &hooks.no_sessions   },
    };

    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (strcmp(spec, switches[i].name) != 0)
            continue;
        *switches[i].is_on = true;
        return true;
    }
    return false;
}

bool test_hook_set(const char *spec)
{
    if (set_switch(spec))
        return true;
    if (strncmp(spec, "crash-on=", 9) == 0)
        return set_crash(spec + 9);
    if (strncmp(spec, "clock=", 6) == 0)
        return set_number(spec + 6, &hooks.clock_ahead_ms);
    if (strncmp(spec, "hold-commit=", 12) == 0)
        return set_number(spec + 12, &hooks.holds_commit);
    if (strncmp(spec, "drop-frame=", 11) == 0) {
        hooks.drop_frame = (unsigned)strtoul(spec + 11, NULL, 10);
        return hooks.drop_frame > 0;
    }
    if (strncmp(spec, "boot=", 5) == 0) {
        hooks.boot = (unsigned)strtoul(spec + 5, NULL, 10);
        return hooks.boot > 0;
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

bool test_hook_no_checksum(void)
{
    return hooks.no_checksum;
}

bool test_hook_no_idempotency(void)
{
    return hooks.no_idempotency;
}

bool test_hook_no_recent(void)
{
    return hooks.no_recent;
}

bool test_hook_no_recheck(void)
{
    return hooks.no_recheck;
}

bool test_hook_no_evict(void)
{
    return hooks.no_evict;
}

bool test_hook_no_dedupe(void)
{
    return hooks.no_dedupe;
}

bool test_hook_no_window(void)
{
    return hooks.no_window;
}

bool test_hook_no_drain(void)
{
    return hooks.no_drain;
}

bool test_hook_no_last_answer(void)
{
    return hooks.no_last_answer;
}

bool test_hook_no_sessions(void)
{
    return hooks.no_sessions;
}

int64_t test_hook_clock_ahead_ms(void)
{
    return hooks.clock_ahead_ms ? *hooks.clock_ahead_ms : 0;
}

unsigned test_hook_boot(void)
{
    return hooks.boot;
}

void test_hook_crash_at(const char *point)
{
    if (strcmp(hooks.crash_on, point) == 0 &&
        atomic_fetch_sub(&hooks.crash_after, 1) == 1)
        kill(getpid(), SIGKILL);
}

void test_hook_hold_commit(void)
{
    while (hooks.holds_commit && *hooks.holds_commit)
        usleep(1000);
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

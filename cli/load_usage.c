/* Usage of processes: see the header. */
#include "cli/load_usage.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    SECOND_US = 1000000,
    STATUS_BYTES = 8192
};

uint64_t load_usage_read_rss(struct slice text)
{
    struct slice line, name, value, number, unit;
    uint64_t kib;

    while (text.len > 0) {
        slice_cut(text, '\n', &line, &text);
        if (!slice_cut(line, ':', &name, &value) || !slice_is(name, "VmRSS"))
            continue;
        slice_cut(slice_trim(value), ' ', &number, &unit);
        return slice_to_u64(number, &kib) ? kib * 1024 : 0;
    }
    return 0;
}

static uint64_t rss_of(int pid)
{
    char path[40], text[STATUS_BYTES];

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    return load_usage_read_rss((struct slice){text, len});
}

/* Finer than the ticks in /proc/PID/stat. */
static uint64_t cpu_of(int pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
        return 0;
    return (uint64_t)used.tv_sec * SECOND_US + (uint64_t)used.tv_nsec / 1000;
}

struct load_usage load_usage_of(const int *pids, size_t count)
{
    struct load_usage usage = {0};

    for (size_t i = 0; i < count; i++) {
        usage.cpu_us += cpu_of(pids[i]);
        usage.rss_bytes += rss_of(pids[i]);
    }
    return usage;
}

struct load_usage load_usage_of_self(void)
{
    const int pid = getpid();

    return load_usage_of(&pid, 1);
}

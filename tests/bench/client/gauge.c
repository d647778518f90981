/* What the servers have used: see the header. */
#include "bench/client/gauge.h"

#include "bench/client/options.h"
#include "cli/load_usage.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t gauge_cpu_us(const struct flag_list *pids)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < pids->count; i++) {
        int pid = atoi(pids->items[i]);
        uint64_t used_us = load_usage_of(&pid, 1).cpu_us;
        if (used_us == 0)
            give_up("no CPU time of process %s", pids->items[i]);
        sum += used_us;
    }
    return sum;
}

uint64_t gauge_resident_bytes(const struct flag_list *pids)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < pids->count; i++) {
        int pid = atoi(pids->items[i]);
        sum += load_usage_of(&pid, 1).rss_bytes;
    }
    return sum;
}

/* 0: not to be had. */
static uint64_t private_kib(int pid)
{
    unsigned long long kib = 0;
    char line[256];

    snprintf(line, sizeof line, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(line, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file) &&
           sscanf(line, "Private_Dirty: %llu kB", &kib) != 1)
        ;
    fclose(file);
    return kib;
}

uint64_t gauge_private_bytes(const struct flag_list *pids)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < pids->count; i++) {
        uint64_t kib = private_kib(atoi(pids->items[i]));
        if (kib == 0)
            give_up("no memory figures of process %s", pids->items[i]);
        sum += kib * 1024;
    }
    return sum;
}

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

uint64_t gauge_private_bytes(const struct flag_list *pids)
{
    unsigned long long kib, sum = 0;
    char line[256];

    for (size_t i = 0; i < pids->count; i++) {
        snprintf(line, sizeof line, "/proc/%d/smaps_rollup", atoi(pids->items[i]));
        FILE *file = fopen(line, "re");
        if (!file)
            give_up("no memory figures of process %s", pids->items[i]);
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "Private_Dirty: %llu kB", &kib) == 1)
                sum += kib * 1024;
        fclose(file);
    }
    return sum;
}

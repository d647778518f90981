/* What processes have used of the machine, as the kernel counts it. Any thread. */
#ifndef CLI_LOAD_USAGE_H
#define CLI_LOAD_USAGE_H

#include "proto/slice.h"

struct load_usage {
    uint64_t cpu_us;    /* user and system, since the processes began */
    uint64_t rss_bytes; /* resident memory */
};

/* The sum over those that still live. */
struct load_usage load_usage_of(const int *pids, size_t count);
struct load_usage load_usage_of_self(void);

/* "VmRSS:     1234 kB" in the text of /proc/PID/status, in bytes; 0: there is none. */
uint64_t load_usage_read_rss(struct slice text);

#endif

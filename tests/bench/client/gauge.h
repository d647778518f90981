/* What the servers have used. */
#ifndef TESTS_BENCH_CLIENT_GAUGE_H
#define TESTS_BENCH_CLIENT_GAUGE_H

#include "cli/flags.h"

/* CPU time of all threads of the processes so far, in microseconds. */
uint64_t gauge_cpu_us(const struct flag_list *pids);

/* Their resident memory, in bytes. */
uint64_t gauge_resident_bytes(const struct flag_list *pids);

/* Their private dirty memory, in bytes. */
uint64_t gauge_private_bytes(const struct flag_list *pids);

#endif

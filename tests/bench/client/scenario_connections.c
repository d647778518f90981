/* Scenarios in which connections come and go: see scenarios.h. */
#include "bench/client/audience.h"
#include "bench/client/gauge.h"
#include "bench/client/scenarios.h"
#include "bridge/clock.h"

#include <stdio.h>

enum {
    SETTLE_MS = 200,
};

void scenario_connect(const struct options *options)
{
    struct audience audience;

    audience_open(&audience, options);
    uint64_t gateway_us = gauge_cpu_us(&options->gateway_pids);
    uint64_t publisher_us = gauge_cpu_us(&options->publisher_pids);
    int64_t start_us = clock_us();
    audience_connect(&audience, options->window.value);
    int64_t end_us = clock_us();
    audience_idle(&audience, SETTLE_MS); /* the directory hears of it in batches */
    gateway_us = gauge_cpu_us(&options->gateway_pids) - gateway_us;
    publisher_us = gauge_cpu_us(&options->publisher_pids) - publisher_us;
    printf("{\"connects\":%zu,\"connects_per_s\":%.0f,\"gateway_cpu_us\":%llu,"
           "\"publisher_cpu_us\":%llu}\n",
           audience.count, (double)audience.count * 1e6 / (double)(end_us - start_us),
           (unsigned long long)gateway_us, (unsigned long long)publisher_us);
    audience_close(&audience);
}

void scenario_idle(const struct options *options)
{
    struct audience audience;

    audience_open(&audience, options);
    uint64_t before = gauge_private_bytes(&options->gateway_pids);
    audience_connect(&audience, options->window.value);
    audience_idle(&audience, options->idle_ms.value);
    uint64_t after = gauge_private_bytes(&options->gateway_pids);
    printf("{\"connections\":%zu,\"bytes_per_connection\":%.0f}\n", audience.count,
           ((double)after - (double)before) / (double)audience.count);
    audience_close(&audience);
}

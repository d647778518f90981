/* How many publishes the publisher takes: see scenarios.h. */
#include "bench/client/gauge.h"
#include "bench/client/scenarios.h"
#include "bridge/clock.h"
#include "cli/load_publisher.h"

#include <stdio.h>

enum {
    WARM_UP_MS = 300,
    RUN = 1,
    STEP_US = 100000,
};

/* Until all answers are there. Gives the publishes that were taken in a second. */
static double publish_for(struct load_loop *loop, const struct load_publish_plan *plan,
                          uint64_t *accepted)
{
    char error[DIAL_ERROR_BYTES];
    struct load_publisher *publisher = load_publisher_create(plan, loop, RUN, error);

    if (!publisher)
        give_up("%s", error);
    while (!load_publisher_is_open(publisher) && !load_publisher_is_done(publisher))
        load_loop_step(loop, (uint64_t)clock_us() + STEP_US);
    load_publisher_start(publisher, (uint64_t)clock_us());
    while (!load_publisher_is_done(publisher)) {
        uint64_t next_us = load_publisher_run(publisher, (uint64_t)clock_us());
        uint64_t soon_us = (uint64_t)clock_us() + STEP_US;
        load_loop_step(loop, next_us < soon_us ? next_us : soon_us);
    }
    const struct load_publisher_counts *counts = load_publisher_counts(publisher);
    if (counts->failed || counts->accepted == 0)
        give_up("%llu publishes failed: %s", (unsigned long long)counts->failed,
                counts->failure);
    double seconds = (double)(counts->last_us - counts->start_us) / 1e6;
    double rate = (double)counts->accepted / seconds;
    *accepted = counts->accepted;
    load_publisher_destroy(publisher);
    return rate;
}

void scenario_ingest(const struct options *options)
{
    struct load_publish_plan plan = {.url = options->publisher,
                                     .key = options->key,
                                     .connections = options->connections.value,
                                     .rooms = options->rooms.value,
                                     .duration_ms = WARM_UP_MS,
                                     .payload_bytes = options->bytes.value};
    struct load_loop loop;
    uint64_t accepted;
    size_t limit;

    if (!load_may_open(plan.connections, &limit) || !load_loop_open(&loop, -1))
        give_up("too few open files");
    publish_for(&loop, &plan, &accepted);
    plan.duration_ms = options->run_ms.value;
    uint64_t publisher_us = gauge_cpu_us(&options->publisher_pids);
    uint64_t gateway_us = gauge_cpu_us(&options->gateway_pids);
    double rate = publish_for(&loop, &plan, &accepted);
    publisher_us = gauge_cpu_us(&options->publisher_pids) - publisher_us;
    gateway_us = gauge_cpu_us(&options->gateway_pids) - gateway_us;
    printf("{\"publishes\":%llu,\"publishes_per_s\":%.0f,\"publisher_cpu_us\":%llu,"
           "\"gateway_cpu_us\":%llu}\n",
           (unsigned long long)accepted, rate, (unsigned long long)publisher_us,
           (unsigned long long)gateway_us);
    load_loop_close(&loop);
}

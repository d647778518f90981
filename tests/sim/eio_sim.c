/*
 * Random schedules for the Engine.IO machine: polls, POSTs, probes, closes and timeouts
 * in any order, against what is promised. Then each built-in fault must be noticed.
 * A broken promise prints the line that plays its schedule again, with all that happened:
 * sim/lib/plan.h.
 */
#include "sim/lib/schedule.h"

#include "sim/lib/plan.h"

#include <stdio.h>
#include <stdlib.h>

static bool run_schedules(struct schedule *schedule, const struct plan *plan)
{
    struct tally tally = {0};

    for (uint64_t n = 0; n < plan->schedules; n++) {
        uint64_t seed = plan->seed + n;
        if (!schedule_run(schedule, seed, NULL, plan->is_tracing, &tally)) {
            plan_tell_broken(plan, seed, schedule->world.failure);
            return false;
        }
    }
    printf(
        "%llu schedules from seed %llu hold: %llu clean, %llu with a pest, %llu "
        "faulty, %llu hostile; %llu events, %llu messages, %llu upgrades (slowest %llu "
        "ms), %llu requests, %llu WebSockets\n",
        (unsigned long long)tally.schedules, (unsigned long long)plan->seed,
        (unsigned long long)tally.plots[PLOT_CLEAN],
        (unsigned long long)tally.plots[PLOT_PEST],
        (unsigned long long)tally.plots[PLOT_FAULTY],
        (unsigned long long)tally.plots[PLOT_HOSTILE], (unsigned long long)tally.events,
        (unsigned long long)tally.messages, (unsigned long long)tally.upgrades,
        (unsigned long long)tally.slowest_upgrade_ms, (unsigned long long)tally.requests,
        (unsigned long long)tally.sockets);
    return true;
}

static bool notice(void *ctx, unsigned fault, uint64_t seed, const char **failure)
{
    struct schedule *schedule = ctx;
    struct tally tally = {0};

    *failure = schedule->world.failure;
    return !schedule_run(schedule, seed, &sabotages[fault], false, &tally);
}

static bool notice_faults(struct schedule *schedule)
{
    const char *names[64];

    for (unsigned i = 0; i < sabotage_count; i++)
        names[i] = sabotages[i].name;
    return plan_notice_all(names, sabotage_count, notice, schedule);
}

int main(int argc, char **argv)
{
    struct schedule *schedule = malloc(sizeof *schedule);
    struct plan plan;

    if (!schedule || !plan_read(argc, argv, &plan)) {
        free(schedule);
        return 2;
    }
    bool is_good = run_schedules(schedule, &plan);
    if (!plan.is_tracing)
        is_good = notice_faults(schedule) && is_good;
    free(schedule);
    return is_good ? 0 : 1;
}

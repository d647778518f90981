/*
 * Random schedules for the Engine.IO machine: polls, POSTs, probes, closes and timeouts
 * in any order, against what is promised. Then each built-in fault must be noticed.
 *
 *     eio_sim [--schedules N] [--seed S] [--trace]
 *
 * SIDECAST_SIM_SCHEDULES is the number where none is given. A broken promise prints the
 * line that plays its schedule again, with all that happened.
 */
#include "sim/lib/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCHEDULES = 20000,
    SABOTAGE_SCHEDULES = 20000, /* within these each fault must show */
};

struct plan {
    const char *program;
    uint64_t schedules, seed;
    bool is_tracing;
};

static bool read_number(const char *text, uint64_t *number)
{
    return text && slice_to_u64(slice_of(text), number) && *number > 0;
}

static bool read_option(const char *name, const char *value, struct plan *plan)
{
    if (strcmp(name, "--schedules") == 0)
        return read_number(value, &plan->schedules);
    return strcmp(name, "--seed") == 0 && read_number(value, &plan->seed);
}

static bool read_plan(int argc, char **argv, struct plan *plan)
{
    const char *wanted = getenv("SIDECAST_SIM_SCHEDULES");

    *plan = (struct plan){.program = argv[0], .schedules = SCHEDULES, .seed = 1};
    if (wanted && *wanted && !read_number(wanted, &plan->schedules))
        return false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            plan->is_tracing = true;
        else if (i + 1 == argc || !read_option(argv[i], argv[i + 1], plan))
            return false;
        else
            i++;
    }
    return true;
}

/* Schedule number n has the seed plan->seed + n. */
static bool run_schedules(struct schedule *schedule, const struct plan *plan)
{
    struct tally tally = {0};

    for (uint64_t n = 0; n < plan->schedules; n++) {
        uint64_t seed = plan->seed + n;
        if (!schedule_run(schedule, seed, NULL, plan->is_tracing, &tally)) {
            fprintf(stderr, "broken: %s\nagain: %s --schedules 1 --trace --seed %llu\n",
                    schedule->world.failure, plan->program, (unsigned long long)seed);
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

static bool notice(struct schedule *schedule, const struct sabotage *sabotage)
{
    struct tally tally = {0};

    for (uint64_t seed = 1; seed <= SABOTAGE_SCHEDULES; seed++) {
        if (schedule_run(schedule, seed, sabotage, false, &tally))
            continue;
        printf("noticed in schedule %llu: %s (%s)\n", (unsigned long long)seed,
               sabotage->name, schedule->world.failure);
        return true;
    }
    fprintf(stderr, "not noticed in %d schedules: %s\n", SABOTAGE_SCHEDULES,
            sabotage->name);
    return false;
}

int main(int argc, char **argv)
{
    struct schedule *schedule = malloc(sizeof *schedule);
    struct plan plan;
    bool is_good = true;

    if (!schedule || !read_plan(argc, argv, &plan)) {
        fprintf(stderr, "usage: eio_sim [--schedules N] [--seed S] [--trace]\n");
        free(schedule);
        return 2;
    }
    is_good = run_schedules(schedule, &plan);
    if (!plan.is_tracing)
        for (unsigned i = 0; i < sabotage_count; i++)
            is_good = notice(schedule, &sabotages[i]) && is_good;
    free(schedule);
    return is_good ? 0 : 1;
}

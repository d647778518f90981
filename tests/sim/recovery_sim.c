/*
 * Random schedules for clients that come back: to any gateway, at any time, with ghosts
 * and gateways that die, while the log forgets and begins anew; against what is promised.
 * Then each built-in fault must be noticed. A broken promise prints the line that plays
 * its schedule again, with all that happened: sim/lib/plan.h.
 */
#include "sim/lib/plan.h"
#include "sim/recovery/story.h"

#include <stdio.h>
#include <stdlib.h>

static void tell(const struct plan *plan, const struct guest_tally *tally)
{
    printf("%llu schedules from seed %llu hold: %llu hellos, %llu recovered, %llu events;"
           " not recovered:",
           (unsigned long long)plan->schedules, (unsigned long long)plan->seed,
           (unsigned long long)tally->hellos, (unsigned long long)tally->recovered,
           (unsigned long long)tally->events);
    for (int i = RECOVERY_HISTORY_OVERFLOW; i < RECOVERY_REASON_COUNT; i++)
        printf(" %llu %s", (unsigned long long)tally->refused[i],
               recovery_reason_text((enum recovery_reason)i));
    putchar('\n');
}

static bool run_schedules(struct story *story, const struct plan *plan)
{
    struct guest_tally tally = {0};

    for (uint64_t n = 0; n < plan->schedules; n++) {
        uint64_t seed = plan->seed + n;
        if (!story_play(story, seed, FAULT_NONE, plan->is_tracing, &tally)) {
            plan_tell_broken(plan, seed, story->world.failure);
            return false;
        }
    }
    tell(plan, &tally);
    return true;
}

static bool notice(void *ctx, unsigned fault, uint64_t seed, const char **failure)
{
    struct story *story = ctx;
    struct guest_tally tally = {0};

    *failure = story->world.failure;
    return !story_play(story, seed, (enum gate_fault)fault, false, &tally);
}

int main(int argc, char **argv)
{
    struct story *story = calloc(1, sizeof *story);
    struct plan plan;

    if (!story || !plan_read(argc, argv, &plan)) {
        free(story);
        return 2;
    }
    bool is_good = run_schedules(story, &plan);
    if (is_good && !plan.is_tracing)
        is_good = plan_notice_all(fault_names, FAULT_COUNT, notice, story);
    story_finish(story);
    free(story);
    return is_good ? 0 : 1;
}

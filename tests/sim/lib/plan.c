/* What a simulator is asked for: see the header. */
#include "sim/lib/plan.h"

#include "proto/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool read_options(int argc, char **argv, struct plan *plan)
{
    const char *wanted = getenv("SIDECAST_SIM_SCHEDULES");

    *plan = (struct plan){.program = argv[0], .schedules = PLAN_SCHEDULES, .seed = 1};
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

bool plan_read(int argc, char **argv, struct plan *plan)
{
    if (read_options(argc, argv, plan))
        return true;
    fprintf(stderr, "usage: %s [--schedules N] [--seed S] [--trace]\n", argv[0]);
    return false;
}

void plan_tell_broken(const struct plan *plan, uint64_t seed, const char *failure)
{
    fprintf(stderr, "broken: %s\nagain: %s --schedules 1 --trace --seed %llu\n", failure,
            plan->program, (unsigned long long)seed);
}

static bool notice_one(const char *name, unsigned fault, plan_notice_fn *notice,
                       void *ctx)
{
    const char *failure;

    for (uint64_t seed = 1; seed <= PLAN_SCHEDULES; seed++) {
        if (!notice(ctx, fault, seed, &failure))
            continue;
        printf("noticed in schedule %llu: %s (%s)\n", (unsigned long long)seed, name,
               failure);
        return true;
    }
    fprintf(stderr, "not noticed in %d schedules: %s\n", PLAN_SCHEDULES, name);
    return false;
}

bool plan_notice_all(const char *const *names, unsigned count, plan_notice_fn *notice,
                     void *ctx)
{
    bool is_good = true;

    for (unsigned i = 0; i < count; i++)
        is_good = notice_one(names[i], i, notice, ctx) && is_good;
    return is_good;
}

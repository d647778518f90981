/*
 * What a simulator is asked for:
 *
 *     NAME_sim [--schedules N] [--seed S] [--trace]
 *
 * SIDECAST_SIM_SCHEDULES is the number where none is given.
 */
#ifndef TESTS_SIM_LIB_PLAN_H
#define TESTS_SIM_LIB_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PLAN_SCHEDULES = 20000, /* within as many each fault must show */
};

struct plan {
    const char *program;
    uint64_t schedules, seed; /* schedule number n has seed + n */
    bool is_tracing;
};

/* False: it was asked for something else, and is told on stderr. */
bool plan_read(int argc, char **argv, struct plan *plan);

/* Says what was broken, and prints the line that plays the schedule again. */
void plan_tell_broken(const struct plan *plan, uint64_t seed, const char *failure);

/* Plays the schedule with the fault; true: it was noticed, and `*failure` says as what.
 */
typedef bool plan_notice_fn(void *ctx, unsigned fault, uint64_t seed,
                            const char **failure);
/* Whether each of the faults is noticed soon enough; says so, one by one. */
bool plan_notice_all(const char *const *names, unsigned count, plan_notice_fn *notice,
                     void *ctx);

#endif

/*
 * A small world with a clock of its own: what will happen lies in a heap, and what is
 * left to chance comes from one seed, so that a seed is a schedule. The first broken rule
 * stops it.
 */
#ifndef TESTS_SIM_LIB_WORLD_H
#define TESTS_SIM_LIB_WORLD_H

#include "proto/slice.h"

enum {
    WORLD_EVENTS = 1024,
    WORLD_FAILURE_BYTES = 240
};

struct world_event;
typedef void world_fn(void *ctx, const struct world_event *event);

struct world_event {
    uint64_t at_ms;
    uint64_t order; /* of those at one time: as they were added */
    world_fn *run;
    void *ctx;
    unsigned id;
    unsigned number;
    struct slice text; /* the event's own copy */
};

struct world {
    uint64_t now_ms;
    uint64_t chance;
    uint64_t order;
    unsigned count;
    unsigned texts; /* copies that are not freed yet */
    bool is_tracing;
    bool has_failed;
    char failure[WORLD_FAILURE_BYTES];
    struct world_event heap[WORLD_EVENTS];
};

void world_init(struct world *world, uint64_t seed, bool is_tracing);
/* Frees what was still to happen. */
void world_finish(struct world *world);

/* A number below `below`, and whether something of `percent` happens. */
unsigned world_pick(struct world *world, unsigned below);
bool world_chance(struct world *world, unsigned percent);

/* Copies event->text; at_ms may have passed: then it happens now, after what is due. */
void world_add(struct world *world, const struct world_event *event);
/* The next thing happens; false: nothing is left, or a rule was broken. */
bool world_step(struct world *world);
/* When that will be; false: nothing is left. */
bool world_next(const struct world *world, uint64_t *at_ms);

/* A rule was broken. The first one is kept. */
__attribute__((format(printf, 2, 3))) void world_fail(struct world *world,
                                                      const char *format, ...);
__attribute__((format(printf, 2, 3))) void world_trace(const struct world *world,
                                                       const char *format, ...);

#endif

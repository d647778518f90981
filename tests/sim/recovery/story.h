/*
 * One schedule: three gateways, three guests, a log that forgets, and what happens to
 * them, all of it from one seed. Then everything comes to rest, and everybody must have
 * what is owed to them.
 */
#ifndef TESTS_SIM_RECOVERY_STORY_H
#define TESTS_SIM_RECOVERY_STORY_H

#include "sim/recovery/gate.h"

enum {
    STORY_GATES = 3,
    STORY_GUESTS = 3,
    STORY_LINES = 64,
};

struct story {
    struct world world;
    struct house house;
    struct gate gates[STORY_GATES];
    struct guest guests[STORY_GUESTS];
    struct line lines[STORY_LINES];
};

/* False: a promise was broken, story->world.failure says which. */
bool story_play(struct story *story, uint64_t seed, enum gate_fault fault,
                bool is_tracing, struct guest_tally *tally);
/* Frees what schedules share; accepts what never played, zeroed. */
void story_finish(struct story *story);

#endif

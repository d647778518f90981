/*
 * What a bad bus does to each frame: lost, twice, late, overtaken. Decided by a seed, so
 * that a run can be had again. Only in testing builds. No state beside the plan's own;
 * the caller has the clock.
 */
#ifndef BRIDGE_TESTING_BUS_FATE_H
#define BRIDGE_TESTING_BUS_FATE_H

#include "proto/slice.h"

#include <stdbool.h>

enum {
    BUS_FATE_COPIES = 2,
    BUS_FATE_TEXT_BYTES = 200,
};

struct bus_plan {
    uint64_t random;                  /* the seed, then the state */
    unsigned drop, repeat, reorder;   /* of 100 frames */
    uint64_t delay_ms;                /* of every frame */
    char lose[BUS_FATE_TEXT_BYTES];   /* frames with this text are lost; empty: none */
    char record[BUS_FATE_TEXT_BYTES]; /* file that lost frames are written to, or empty */
};

/* When each copy arrives, counted from now; no copy: the frame is lost. */
struct bus_fate {
    unsigned copies;
    uint64_t after_ms[BUS_FATE_COPIES];
};

/*
 * "SEED", or "SEED:" and items separated by commas: drop=20, dup=5, reorder=10 (percent),
 * delay=3ms, lose=TEXT, record=FILE. False when that cannot be read.
 */
bool bus_plan_parse(struct bus_plan *plan, struct slice text);

/* Borrows the bytes of a frame. */
void bus_fate_draw(struct bus_plan *plan, struct slice frame, struct bus_fate *fate);

#endif

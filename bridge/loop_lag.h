/*
 * How late an event loop is: a timer that looks how long after its time it runs. The
 * longest delay of the last ten to twenty seconds is a gauge, METRIC_LOOP_LAG_US. Loop
 * thread.
 */
#ifndef BRIDGE_LOOP_LAG_H
#define BRIDGE_LOOP_LAG_H

#include "bridge/metrics.h"

#include <uv.h>

/* Plain memory of its owner, until the loop has turned once more after loop_lag_stop. */
struct loop_lag {
    uv_timer_t timer;
    struct metrics *metrics;
    int64_t due_us;
    unsigned ticks;          /* of this window */
    uint64_t longest_us;     /* in it */
    uint64_t was_longest_us; /* in the one before */
};

/* Keeps `metrics`; does not keep the loop from ending. */
void loop_lag_start(struct loop_lag *lag, uv_loop_t *loop, struct metrics *metrics);
void loop_lag_stop(struct loop_lag *lag);

#endif

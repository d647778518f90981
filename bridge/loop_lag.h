/*
 * How late an event loop is: a timer that looks how long after its time it runs. The
 * longest delay of the last ten to twenty seconds is a gauge, METRIC_LOOP_LAG_US; all
 * that are worth a word are added up in METRIC_LATE_MS, by which others have been kept
 * waiting. A loop that stays late is overloaded, METRIC_OVERLOADED: one long pause is
 * none, it takes several. Loop thread.
 */
#ifndef BRIDGE_LOOP_LAG_H
#define BRIDGE_LOOP_LAG_H

#include "bridge/metrics.h"

#include <stdbool.h>
#include <uv.h>

/* Plain memory of its owner, until the loop has turned once more after loop_lag_stop. */
struct loop_lag {
    uv_timer_t timer;
    struct metrics *metrics;
    const uint64_t *bound_ms;
    _Atomic uint64_t beats; /* ticks in all: whoever watches the loop reads them */
    int64_t due_us;
    unsigned ticks;          /* of this window */
    uint64_t longest_us;     /* in it */
    uint64_t was_longest_us; /* in the one before */
    uint64_t usual_us;       /* an average, of the last ones most */
    bool is_overloaded;
};

/*
 * Keeps `metrics` and `bound_ms`: a usual delay beyond it is too much, below half of it
 * no more; 0: nothing is too much. Does not keep the loop from ending.
 */
void loop_lag_start(struct loop_lag *lag, uv_loop_t *loop, struct metrics *metrics,
                    const uint64_t *bound_ms);
void loop_lag_stop(struct loop_lag *lag);

#endif

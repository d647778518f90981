/*
 * A loop that stands still for good (a deadlock, a call that never returns) is noticed by
 * a thread beside it. For processes without a supervisor, who would see it himself. Time
 * is counted in the thread's own sleeps, so that a stopped process has not stood still.
 */
#ifndef BRIDGE_LOOP_WATCH_H
#define BRIDGE_LOOP_WATCH_H

#include "bridge/loop_lag.h"

struct loop_watch;

struct loop_watch_config {
    const struct loop_lag *lag; /* keeps: of the loop, started */
    uint64_t look_ms;
    unsigned looks; /* without a tick of the loop: then it is stuck */
    /* On the thread, once. */
    void (*on_stuck)(void *ctx);
    void *ctx;
};

/* Gives a running watch (loop_watch_destroy), or NULL. */
struct loop_watch *loop_watch_create(const struct loop_watch_config *config);
/* Nothing is called after it. Accepts NULL. */
void loop_watch_destroy(struct loop_watch *watch);

#endif

/*
 * The self-probe: what a gateway finds out about itself. Again and again it publishes an
 * event of its own, which goes the way of every event (directory, log, bus, inbox,
 * delivery) and must come back soon; and of every event that comes it looks whether one
 * before it is missing. Probes are volatile: each takes a seq, and no place in the log.
 * Loop thread.
 */
#ifndef CLIENT_GW_PROBE_H
#define CLIENT_GW_PROBE_H

#include "bridge/engine.h"

struct probe;

struct probe_config {
    uv_loop_t *loop;
    const struct logger *log;
    struct metrics *metrics;
    struct engine *engine;
    uint64_t interval_ms; /* 0: none is sent; events are looked at all the same */
    /* Something is lost or late, or all is well again. */
    void (*on_change)(void *ctx, bool is_well);
    void *ctx;
};

/* Gives a running probe (probe_destroy), or NULL when out of memory. Keeps the pointers.
 */
struct probe *probe_create(const struct probe_config *config);
/* Its memory goes with the loop's next turn, or with the answer of the engine that it
 * waits for. Accepts NULL. */
void probe_destroy(struct probe *probe);

bool probe_is_well(const struct probe *probe);

/* An event of the log has come. */
void probe_see(struct probe *probe, const struct position *position);
/* A gateway's probe was in it: ours or another's. */
void probe_take(struct probe *probe, struct slice id);
/* Events are lost, and everybody is told: they go on after `now`. */
void probe_reset(struct probe *probe, const struct position *now);

#endif

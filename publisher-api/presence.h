/*
 * Presence at work: watches who is there, and tells of it as the file says: events of the
 * log like any other, each together with the note that it was said, so that a start goes
 * on where the one before ended. It also knows when users were last connected. Loop
 * thread only.
 */
#ifndef PUBLISHER_API_PRESENCE_H
#define PUBLISHER_API_PRESENCE_H

#include "bridge/engine.h"
#include "proto/system.h"

enum {
    PRESENCE_MAX_AWAY = 100000, /* users that are away and known; the oldest go first */
    PRESENCE_RETURN_MS = 10000, /* that users have at least after a start */
};

struct presence;

struct presence_config {
    uv_loop_t *loop;
    const struct logger *log; /* keeps, as the next two */
    struct metrics *metrics;
    struct engine *engine; /* ENGINE_LOG, before its first append */
};

/* Shares `system` (NULL: nothing is minded). Gives presence (presence_destroy), or NULL
 * when out of memory. */
struct presence *presence_create(const struct presence_config *config,
                                 struct system *system);

/* Other tables from now on. Where it was off, who is there by now is not told of. */
void presence_use(struct presence *presence, struct system *system);

/* Nothing is told any more: the next start goes on. */
void presence_stop(struct presence *presence);

/* Memory goes when the loop has run its handle out and the engine has answered. */
void presence_destroy(struct presence *presence);

#endif

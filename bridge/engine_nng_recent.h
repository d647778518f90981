/*
 * What a gateway has applied lately, kept beside its clients: who comes back after a
 * moment gets what it missed from here, and the log is not asked. A crowd that returns at
 * once would else wait in line for it. A log in memory with its index, bounded; it has
 * every event after some seq, and says so. Loop thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_RECENT_H
#define BRIDGE_ENGINE_NNG_RECENT_H

#include "bridge/engine.h"
#include "proto/bus_wire.h"

enum {
    RECENT_EVENTS = 8192,
    RECENT_BYTES = 4 * 1024 * 1024,
    RECENT_AGE_MS = 5 * 60 * 1000,
};

struct recent;

/* Gives an empty one (recent_destroy), or NULL: all below accept NULL, which has nothing.
 */
struct recent *recent_create(void);
void recent_destroy(struct recent *recent);

/* Forgets what it has; goes on after `now`. */
void recent_begin(struct recent *recent, const struct position *now);
/* The event that was applied next; what came between was volatile and is gone. Borrows.
 */
void recent_add(struct recent *recent, const struct engine_event *event);
/* Everything up to `through` was volatile and is gone. */
void recent_pass(struct recent *recent, uint64_t through);

/* Whether it has all events after `after`. */
bool recent_has(const struct recent *recent, const struct position *after);

/*
 * The events after `wanted->after` up to `wanted->through`, for one of its rooms and
 * after that room's base, until they are more than `wanted->max_bytes` (at least one).
 * Gives up to where they are complete. Only after recent_has. ST_NO_MEMORY: none was
 * given.
 */
enum status recent_read(struct recent *recent, const struct replay_request *wanted,
                        void (*on_event)(void *ctx, const struct engine_event *event),
                        void *ctx, uint64_t *through);

#endif

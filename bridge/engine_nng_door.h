/*
 * The inbox with a door that can be shut. Threads that wait in the bus library cannot be
 * joined (engine_nng_link.h), so they may come with an item after the engine was closed:
 * then nobody takes it.
 */
#ifndef BRIDGE_ENGINE_NNG_DOOR_H
#define BRIDGE_ENGINE_NNG_DOOR_H

#include "bridge/inbox.h"

struct door {
    uv_mutex_t lock;
    struct inbox *inbox; /* under the lock; NULL: shut */
};

/* Loop thread. The door itself lives as long as the process. */
enum status door_open(struct door *door, uv_loop_t *loop, size_t max_bytes,
                      unsigned max_per_turn);

/* Any thread. ST_DRAINING when shut: the item is still the caller's. */
enum status door_put(struct door *door, struct inbox_item *item);
/* As door_put; ST_BUSY above max_bytes. */
enum status door_offer(struct door *door, struct inbox_item *item);

/* Loop thread, idempotent: drops what waits. */
void door_shut(struct door *door);

#endif

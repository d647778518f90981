/*
 * Heartbeats of the application (proto/beat_rules): every so often one event to every
 * session, encoded once per dialect, and the round trip of who answers. A session has one
 * bit for each, which says that an answer is due; nothing else is kept for it. Loop
 * thread.
 */
#ifndef CLIENT_GW_BEATS_H
#define CLIENT_GW_BEATS_H

#include "client-gw/connection.h"
#include "proto/beat_rules.h"

#include <uv.h>

struct beats;

/* All are kept until beats_destroy. Gives running timers, or NULL when out of memory. */
struct beats *beats_create(uv_loop_t *loop, const struct beat_rules *rules,
                           struct connection_set *connections, struct metrics *metrics);
/* The memory goes with the loop's next turn. */
void beats_destroy(struct beats *beats);

/* A client's event: true when it is the awaited answer of a heartbeat. */
bool beats_event(struct beats *beats, struct session *session, struct slice event);
/* A client's ack. */
void beats_ack(struct beats *beats, struct session *session, uint64_t id);

#endif

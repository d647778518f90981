/*
 * Heartbeats of the application (proto/beat_rules): every so often one event to every
 * session, encoded once per dialect, and the round trip of who answers: by an ack, until
 * the next beat, or by an event, for which a session has one bit for each beat. Loop
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
/* The ack that a client was asked for. */
void beats_ack(struct beats *beats, const struct session *session, uint64_t id);

#endif

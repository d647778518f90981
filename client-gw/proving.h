/*
 * What has reached a client for certain: what was sent before the ping whose pong has
 * come back. The directory is told in batches, once a second at most often, so that a
 * quiet client can come back long after the events it last got are gone. Loop thread.
 */
#ifndef CLIENT_GW_PROVING_H
#define CLIENT_GW_PROVING_H

#include "bridge/engine.h"

struct connection;
struct proving;

/* Gives it (proving_destroy), or NULL. Keeps the engine. */
struct proving *proving_create(uv_loop_t *loop, struct engine *engine);
/* Accepts NULL. */
void proving_destroy(struct proving *proving);

/* What waits to be told was of an epoch that is over. */
void proving_forget(struct proving *proving);

/* A ping is about to be sent, behind all that was sent to the sessions of it. */
void proving_pinged(struct connection *connection);
/* Its answer has come. */
void proving_ponged(struct connection *connection);

#endif

/*
 * A gateway's stream of events: what the bus brings is applied in order and once, what it
 * loses is fetched from the log. Loop thread, except for its one receiving thread, which
 * hands over whole messages.
 *
 * While a gap is being filled, frames are parked up to a ceiling; beyond it the newest
 * are let go, and fetched later like any other loss. Where the log has removed what is
 * missing, the listener is told (on_reset) and events go on with the oldest one kept.
 */
#ifndef BRIDGE_ENGINE_NNG_STREAM_H
#define BRIDGE_ENGINE_NNG_STREAM_H

#include "bridge/engine.h"
#include "bridge/engine_nng_replay.h"

struct stream;

struct stream_config {
    struct link link;
    struct door *door; /* keeps, as all below */
    struct replayer *replayer;
    struct recent *recent; /* NULL: nothing is kept */
    struct metrics *metrics;
    const struct logger *log;
    /* May be NULL; called once: events after the head of this moment will be heard. */
    void (*on_begun)(void *ctx);
    void *ctx;
};

/* Gives a stream for the life of the process, or NULL. Nothing is received yet. */
struct stream *stream_create(const struct stream_config *config);

/* Once; keeps. Begins at the head that the log tells. */
enum status stream_begin(struct stream *stream, const struct engine_listener *listener,
                         void *ctx);

/* A connection to the bus stands (again): what was sent before it is missing. */
void stream_ask(struct stream *stream);

/* Asks the log when the bus has been silent. */
void stream_tick(struct stream *stream, uint64_t now_ms);

/* The bus was heard within 3 s, and what was missing is applied, or soon. */
bool stream_is_ready(const struct stream *stream);

void stream_head(const struct stream *stream, struct position *applied);

/* Nothing is called back after it. */
void stream_stop(struct stream *stream);

#endif

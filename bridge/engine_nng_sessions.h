/*
 * A gateway's end of the directory: what is written or asked waits while a request is
 * under way and then leaves in one. Also keeps the lease. Loop thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_SESSIONS_H
#define BRIDGE_ENGINE_NNG_SESSIONS_H

#include "bridge/engine.h"
#include "bridge/engine_nng_door.h"
#include "bridge/engine_nng_link.h"

struct sessions;

struct sessions_config {
    struct link link;
    struct door *door; /* keeps, as the next two */
    const char *gateway_id;
    const struct metrics *metrics;
    const struct logger *log;
    void (*on_forgotten)(void *ctx); /* puts every session before it returns */
    void (*on_moved)(void *ctx, struct slice sid, uint64_t generation);
    void (*on_fenced)(void *ctx);
    void *ctx;
};

/* Gives a client of the directory for the life of the process, or NULL. What it is asked
 * waits until sessions_open. */
struct sessions *sessions_start(const struct sessions_config *config);
/* Events are heard from now on: the directory may hear of sessions. */
void sessions_open(struct sessions *sessions);

/*
 * As engine_ops.session_put, _park, _drop, _prove and _find. A put without on_done, a
 * park and a drop never expire: they wait for the directory to come back.
 */
void sessions_put(struct sessions *sessions, const struct engine_session *session,
                  engine_done_fn *on_done, void *ctx);
void sessions_park(struct sessions *sessions, struct slice sid, uint64_t generation,
                   const struct position *proven);
void sessions_drop(struct sessions *sessions, struct slice sid, uint64_t generation);
/* `epoch` is that of the proofs. */
void sessions_prove(struct sessions *sessions, uint64_t epoch,
                    const struct engine_proof *proofs, size_t count);
void sessions_find(struct sessions *sessions, struct slice pid, engine_found_fn *on_found,
                   void *ctx);

/* As engine_ops.user_seen. */
void sessions_seen(struct sessions *sessions, struct slice nsp, struct slice user,
                   engine_seen_fn *on_seen, void *ctx);

/* As engine_ops.publish. */
enum status sessions_publish(struct sessions *sessions, struct slice envelope,
                             bool is_volatile, engine_kept_fn *on_kept, void *ctx);

/* Renews the lease each second, ends what has waited too long. */
void sessions_tick(struct sessions *sessions, uint64_t now_ms, bool is_ready);

/* The directory has answered within the last 3 s, and knows no later start of us. */
bool sessions_is_ready(const struct sessions *sessions);

/* Nothing but leases waits for an answer. */
bool sessions_are_written(const struct sessions *sessions);

/*
 * The gateway stops: the directory hears what waits to be told and parks its sessions.
 * Bounded to 250 ms, and nothing when the directory is away. Then stop.
 */
void sessions_leave(struct sessions *sessions);

/* Ends what waits, also from a callback. Nothing is called back after it. */
void sessions_stop(struct sessions *sessions);

#endif

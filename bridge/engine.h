/*
 * The engine: where the log, the bus and the directory live. Nothing above bridge/ knows
 * which one runs; tests/unit/engine_test.c holds every engine to the contract below.
 *
 * One process opens it in one role. ENGINE_LOG (the publisher): append, keys, notes,
 * watch, counts, members, totals and gateways are its own; it serves the gateways.
 * ENGINE_GATEWAY: publish, subscribe, replay, marks, sessions. The operations of the
 * other role are NULL in its table; head, is_ready, durability and close are both's.
 *
 * Loop thread only; every callback runs on the loop thread. The engine's own threads stay
 * inside.
 */
#ifndef BRIDGE_ENGINE_H
#define BRIDGE_ENGINE_H

#include "bridge/logger.h"
#include "bridge/metrics.h"
#include "proto/envelope.h"
#include "proto/log_key.h"
#include "proto/position.h"

#include <uv.h>

struct engine;

enum engine_role {
    ENGINE_LOG,
    ENGINE_GATEWAY,
};

struct engine_config {
    const char *name; /* "nng" */
    enum engine_role role;
    uv_loop_t *loop;
    const struct logger *log; /* keeps */
    struct metrics *metrics;  /* keeps; a gateway's are sent with its lease */
    const char *url;    /* "ipc:///run/sidecast/bus" (a folder) or "tcp://host:7413" */
    const char *secret; /* of the bus: its messages are sealed; empty: not */
    const char *gateway_id; /* ENGINE_GATEWAY: "g1" */
    size_t gateway_count;   /* ENGINE_LOG: so many run; 0: nobody knows */
    const char *durability; /* ENGINE_LOG: "memory", "log" or "fsync"; NULL: memory */
    const char *data_dir;   /* ENGINE_LOG: folder of the log, unless it is in memory */
    uint64_t key_age_ms;    /* ENGINE_LOG: keys are kept for so long */
    uint64_t mark_age_ms;   /* ENGINE_LOG: nobody asks for what was removed before that */
    struct {
        uint64_t age_ms;
        uint64_t events;
        uint64_t bytes;
    } keep;               /* ENGINE_LOG: retention */
    uint64_t recovery_ms; /* ENGINE_LOG: a session that is parked is found for so long; 0:
                             none is parked */
};

/* --- events --- */

/* A key that was kept so long ago, and where its event is. */
typedef void engine_key_fn(void *ctx, const struct log_key *key,
                           const struct position *position, uint64_t age_ms);

struct engine_entry {
    struct slice envelope;
    bool is_volatile; /* it gets a position and is not kept */
};

/*
 * What is appended as one: its entries get consecutive positions and are kept together,
 * with the key and the note, or nothing of it is.
 */
struct engine_append {
    const struct engine_entry *entries; /* 1 to LIMIT_APPEND_GROUP */
    size_t count;
    const struct log_key *key;      /* NULL: none */
    const struct engine_note *note; /* NULL: none */
};

/* Runs once per append: ST_OK with the position, of several envelopes that of the last
 * one, or why it was not kept. */
typedef void engine_kept_fn(void *ctx, enum status status,
                            const struct position *position);

struct engine_event {
    struct position position;
    struct slice envelope;         /* lent for the call */
    const struct envelope *opened; /* the same, decoded and lent; NULL: nobody has yet */
    bool has_more; /* another event is at hand: write both at once, on_settled will follow
                    */
    int64_t sent_us;     /* when the publisher sent it, clock_us; 0: replayed */
    int64_t received_us; /* when it reached this process */
};

/* What a gateway hears. Between two on_reset the events are complete, each once, in
 * order. */
struct engine_listener {
    void (*on_event)(void *ctx, const struct engine_event *event);
    /* After the last event that was at hand: write what waits. */
    void (*on_settled)(void *ctx);
    /*
     * Events are missing and cannot be had any more, or the log began a new epoch:
     * `reason` is "history_overflow" or "epoch_changed"; events go on after `now`.
     */
    void (*on_reset)(void *ctx, const char *reason, const struct position *now);
    /* The log and the directory answer and everything is applied (true), or not (false).
     */
    void (*on_ready)(void *ctx, bool is_ready);
    /*
     * The directory does not know this gateway any more: put every session again, before
     * returning (with no on_done they wait as long as it takes). Counts say they are
     * incomplete until all of them have arrived.
     */
    void (*on_forgotten)(void *ctx);
    /*
     * This session was put and lives elsewhere by now: close it here, where its
     * generation is below `generation`, with neither park nor drop: the record is
     * somebody else's.
     */
    void (*on_moved)(void *ctx, struct slice sid, uint64_t generation);
    /* Another process began later under this gateway's id: nothing is heard or written
     * any more. End. */
    void (*on_fenced)(void *ctx);
};

/* --- sessions --- */

struct engine_membership {
    enum room_kind kind; /* ROOM_NAMED; the others follow from the record */
    struct slice name;
    uint64_t joined_seq;
};

/*
 * One session as the directory knows it: always written whole. A record with a lower
 * generation than the known one is ignored, so that late and repeated writes do no harm.
 *
 * A sid and a pid have one session. Who takes one over (from another gateway, from
 * nowhere, under another sid) puts it with engine_next_term of the generation that was
 * found, or of a later one in that term: whatever the one before still writes is older.
 * Two who take it over at once: the first put wins, the other one gets ST_CONFLICT.
 */
struct engine_session {
    struct slice sid; /* public */
    struct slice pid; /* secret; empty: not recoverable */
    struct slice nsp;
    struct slice user;   /* empty: none */
    uint64_t generation; /* upper half: how often it was taken over; lower: written */
    uint64_t epoch;      /* of the joined_seq and of proven; 0: its client may not know */
    uint64_t proven;     /* everything of its rooms up to it has reached the client; 0:
                            nothing is known */
    const struct engine_membership *rooms;
    size_t room_count;
};

static inline uint64_t engine_next_term(uint64_t generation)
{
    return ((generation >> 32) + 1) << 32;
}

/* Everything of the session's rooms up to `seq`, of the epoch that the gateway is in, has
 * reached its client. */
struct engine_proof {
    struct slice sid;
    uint64_t seq;
};

typedef void engine_done_fn(void *ctx, enum status status);
/* `session` is lent for the call; NULL unless ST_OK or ST_TIMEOUT. `gateway` says where
 * it lives; empty: nowhere, it is parked. */
typedef void engine_found_fn(void *ctx, enum status status,
                             const struct engine_session *session, struct slice gateway);

/* --- users --- */

/* What is known of a user, kept with the log under a name; empty bytes: no more. */
struct engine_note {
    struct slice name, bytes;
};
typedef void engine_note_fn(void *ctx, const struct engine_note *note);

/* Who minds users: those that are in a namespace. */
struct engine_watcher {
    /* The first session of a user has come, or the last one has gone (it may be back
     * within the same turn of the loop). Borrowed for the call. */
    void (*on_user)(void *ctx, struct slice nsp, struct slice user, bool is_here);
    /* When the user was last connected, ms of the wall clock; 0: nobody knows. */
    int64_t (*last_seen)(void *ctx, struct slice nsp, struct slice user);
};

/* As the watcher says; 0 also when nobody answers. */
typedef void engine_seen_fn(void *ctx, int64_t at_ms);

/* --- questions --- */

struct engine_count {
    uint64_t connections; /* each once, over all gateways */
    bool complete;        /* false: a gateway could not be counted, or all is rebuilt */
    bool is_rebuilding;   /* the number says nothing */
};
typedef void engine_count_fn(void *ctx, const struct engine_count *count);

struct engine_totals {
    uint64_t sessions, users, rooms, memberships;
    bool complete, is_rebuilding; /* as in engine_count */
};

struct engine_gateway {
    struct slice id;
    int pid;
    bool is_ready;
    uint64_t lag_ms; /* since its last lease */
    struct metrics_snapshot counters;
};
typedef void engine_gateway_fn(void *ctx, const struct engine_gateway *gateway);

struct engine_member {
    struct slice sid, user, gateway;
};
/* One page; `cursor` (empty: the last page) is lent for the call. */
typedef void engine_page_fn(void *ctx, enum status status,
                            const struct engine_member *members, size_t count,
                            struct slice cursor);

/* `marks[i]` is the highest seq of rooms[i] that retention has removed (or more). */
typedef void engine_marks_fn(void *ctx, enum status status, uint64_t epoch,
                             const uint64_t *marks, size_t count);

/* --- the past, by time --- */

struct engine_past_room {
    struct room_key key;
    uint32_t max;     /* events of it */
    int64_t since_ms; /* the wall clock: those that were accepted from then on … */
    int64_t asked_ms; /* … though all from here on were asked for: not later */
};

/*
 * Of events that new members may get, so many of each room and at most `total` together,
 * the oldest ones of too many, or the newest. A moment is resolved to where the log
 * reached it first, whatever clocks did later: an event may come that was accepted
 * earlier, none is left out that was not.
 */
struct engine_past {
    const struct engine_past_room *rooms; /* 1 to LIMIT_REPLAY_ROOMS */
    size_t count;
    uint32_t total; /* at most LIMIT_PAST_EVENTS */
    bool oldest_first;
    struct position through; /* what came later is not the past */
};

/* Where the chosen events of a room are: after `base`, up to and including `top`. */
struct engine_past_range {
    uint64_t base, top;
    bool is_cut; /* events that were asked for are too many, too old, or gone */
};
/*
 * A range for each room, lent for the call, and how many events with a history they have;
 * NULL unless ST_OK. ST_NOT_FOUND: the log has another epoch; ST_UNAVAILABLE: 2 s without
 * an answer.
 */
typedef void engine_past_fn(void *ctx, enum status status,
                            const struct engine_past_range *ranges, uint32_t events);

/* The events of these rooms were complete up to `through`. */
typedef void engine_replayed_fn(void *ctx, enum status status, uint64_t through);

struct engine_replay {
    const struct room_key *rooms; /* 1 to LIMIT_REPLAY_ROOMS */
    const uint64_t
        *bases; /* of each, what comes after it is wanted; NULL: after `from` */
    size_t room_count;
    struct position from; /* what comes after it … */
    uint64_t to;          /* … up to and including this seq */
    /* 0: everything, however long it takes; else one page of about so many bytes, at
     * least one event if there is one: go on with `through` as `from`, up to `to`. */
    size_t max_bytes;
    void (*on_event)(void *ctx, const struct engine_event *event);
    engine_replayed_fn *on_done;
    void *ctx;
};

/* --- the table --- */

struct engine_ops {
    const char *name;

    /* Gives `*engine`; `*reason` is a sentence for the operator on failure. */
    enum status (*open)(const struct engine_config *config, struct engine **engine,
                        const char **reason);

    /*
     * Borrows everything. ST_OK: all of it is queued, and on_kept will run once.
     * ST_BUSY: too much waits, and nothing of it is queued: on_kept will not run. It is
     * kept before the bus sees it; nothing is said about receivers.
     */
    enum status (*append)(struct engine *engine, const struct engine_append *what,
                          engine_kept_fn *on_kept, void *ctx);
    /* Kept by itself, a moment later. Nobody is told whether it was. Borrows. */
    void (*note)(struct engine *engine, const struct engine_note *note);
    /* The notes that were kept, lent for the call; where the log is in memory there are
     * none. Before the first append. */
    void (*notes)(struct engine *engine, engine_note_fn *visit, void *ctx);

    /* The keys that were kept lately, the oldest first. Once, before the first append. */
    void (*keys)(struct engine *engine, engine_key_fn *visit, void *ctx);

    /*
     * ENGINE_GATEWAY: as append, by way of whoever keeps the log. What one gateway
     * publishes is kept in its order and once, however often it had to be sent.
     * ST_UNAVAILABLE after 2 s without an answer: it may have been kept. A position
     * whose seq is 0: kept earlier, nobody knows where any more.
     */
    enum status (*publish)(struct engine *engine, struct slice envelope, bool is_volatile,
                           engine_kept_fn *on_kept, void *ctx);

    /* Once; keeps `listener` and `ctx`. A new gateway begins at the head. */
    void (*subscribe)(struct engine *engine, const struct engine_listener *listener,
                      void *ctx);

    /*
     * Borrows `wish`. on_event for each event of its rooms, in order, then on_done, once:
     * ST_OK; ST_NOT_FOUND when the log does not have all that was asked for (any more),
     * ST_CONFLICT when it is of another epoch by now, also halfway; ST_UNAVAILABLE after
     * 2 s without an answer. What the gateway has applied lately is given without asking
     * for it.
     */
    void (*replay)(struct engine *engine, const struct engine_replay *wish);
    void (*marks)(struct engine *engine, const struct room_key *rooms, size_t count,
                  engine_marks_fn *on_marks, void *ctx);

    /* ENGINE_GATEWAY: borrows `wish`; on_past runs once. */
    void (*past)(struct engine *engine, const struct engine_past *wish,
                 engine_past_fn *on_past, void *ctx);

    /* ENGINE_LOG: the last position given. ENGINE_GATEWAY: the last one applied. */
    void (*head)(struct engine *engine, struct position *position);

    /*
     * Borrow everything. on_done (may be NULL) runs once: ST_OK when the directory has
     * it, ST_UNAVAILABLE after 2 s without an answer (the write may still happen: put
     * again), ST_CONFLICT when the session lives elsewhere by now, ST_TOO_LARGE or
     * ST_NO_MEMORY at once. Without on_done the write waits as long as it takes, as a
     * drop and a park do.
     *
     * park: its client is gone and may come back. The record stays findable by its pid
     * for recovery_ms, lives nowhere and is in no count; without a pid it is over. drop:
     * it is over. Both are ignored when a higher generation is known, or when it lives
     * elsewhere. Sessions of a gateway that is gone (its lease ended, a later start took
     * its place, it was closed) are parked by the directory. With a durable log all of it
     * outlives the publisher: what on_done said ST_OK to is kept.
     *
     * prove: in batches; nobody waits, and one that is lost does no harm. Of an earlier
     * epoch, or of a session that lives elsewhere: ignored.
     *
     * on_found: ST_NOT_FOUND when nobody has the pid, ST_TIMEOUT when the session was
     * parked for too long: `session` says whose it was, without rooms. While the
     * directory is being rebuilt it waits, so that no older record is found than the
     * last: ST_UNAVAILABLE after 2 s.
     */
    void (*session_put)(struct engine *engine, const struct engine_session *session,
                        engine_done_fn *on_done, void *ctx);
    void (*session_park)(struct engine *engine, struct slice sid, uint64_t generation,
                         uint64_t proven);
    void (*session_drop)(struct engine *engine, struct slice sid, uint64_t generation);
    void (*session_prove)(struct engine *engine, const struct engine_proof *proofs,
                          size_t count);
    void (*session_find)(struct engine *engine, struct slice pid,
                         engine_found_fn *on_found, void *ctx);

    /*
     * ENGINE_GATEWAY: when a user was last connected. Whoever asks before a session of
     * theirs is put is not told of that one. on_seen runs once, before the put is
     * answered.
     */
    void (*user_seen)(struct engine *engine, struct slice nsp, struct slice user,
                      engine_seen_fn *on_seen, void *ctx);
    /*
     * ENGINE_LOG: keeps `watcher` and `ctx` until the next one (NULL: nobody). Before it
     * returns it is told of all users that are there.
     */
    void (*watch)(struct engine *engine, const struct engine_watcher *watcher, void *ctx);

    /* Connections in the union of the targets, without `except`. */
    void (*count)(struct engine *engine, struct slice nsp,
                  const struct envelope_target *targets, size_t target_count,
                  const struct slice *except, size_t except_count,
                  engine_count_fn *on_count, void *ctx);
    void (*members)(struct engine *engine, const struct room_key *room,
                    struct slice cursor, size_t limit, engine_page_fn *on_page,
                    void *ctx);
    void (*totals)(struct engine *engine, struct engine_totals *totals);
    void (*gateways)(struct engine *engine, engine_gateway_fn *visit, void *ctx);

    /* ENGINE_GATEWAY: it serves who is there, and takes nobody new: from now on its lease
     * says that it is not ready, whatever on_ready says. */
    void (*retire)(struct engine *engine);
    /* ENGINE_GATEWAY: whether all that was put, dropped or published has been answered.
     */
    bool (*is_written)(struct engine *engine);

    /* May what is appended now be kept and sent? ENGINE_GATEWAY: as on_ready said last.
     */
    bool (*is_ready)(struct engine *engine);
    /* "memory", "log" or "fsync": what a 2xx of this engine means. */
    const char *(*durability)(struct engine *engine);

    /*
     * Commits what is queued and answers it; ends with ST_DRAINING what nobody will
     * answer any more. Nothing calls back after it. Bounded to 1 s. Threads of the bus
     * library may live on: end the process by lifecycle_exit.
     */
    void (*close)(struct engine *engine);
};

/* Every engine begins with its table. */
struct engine {
    const struct engine_ops *ops;
};

/* Opens the engine that config->name names; ST_NOT_FOUND when there is none of that name.
 */
enum status engine_open(const struct engine_config *config, struct engine **engine,
                        const char **reason);

/*
 * A control command is a log record like an event: it has a seq and cannot be lost
 * either. Disconnects every session of the targets.
 */
enum status engine_disconnect(struct engine *engine, const struct envelope *command,
                              engine_kept_fn *on_kept, void *ctx);

#endif

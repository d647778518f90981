/*
 * The log of events, by seq, within three ceilings. One in memory takes a new epoch at
 * each start, since it remembers nothing of the one before; a durable one goes on in its
 * epoch unless somebody may have seen more of it than it has (proto/log_epoch).
 *
 * This is where the writer thread (append, trim, tidy) and the replay thread (read,
 * marks) meet; the state, and what lies beside the events, may be asked for by any
 * thread. It has locks of its own: one that is held for a bounded number of events, and
 * one for the writer's calls and whoever reads what lies beside the events.
 */
#ifndef BRIDGE_EVENT_LOG_H
#define BRIDGE_EVENT_LOG_H

#include "bridge/logger.h"
#include "bridge/room_past.h"
#include "proto/log_key.h"
#include "proto/position.h"

struct event_log;

struct event_log_limits {
    uint64_t age_ms;
    uint64_t events;
    uint64_t bytes;
};

/* 48 bits, never 0. */
uint64_t event_log_random_epoch(void);

/* Gives a log in memory (event_log_destroy) that is empty at `epoch`, or NULL. */
struct event_log *event_log_create(uint64_t epoch, const struct event_log_limits *keep);

struct event_log_config {
    const struct logger *log; /* keeps */
    const char *folder;
    bool syncs;              /* a commit survives the loss of power */
    uint64_t key_age_ms;     /* keys older than this are removed */
    uint64_t session_age_ms; /* sessions of before this start are removed after this */
    uint64_t mark_age_ms;    /* what was removed as long ago, or longer, nobody misses */
    struct event_log_limits keep;
};

/*
 * Gives the log that lies in the folder (event_log_destroy). One that cannot be believed
 * is moved aside, and a new epoch begins. `*reason` is a sentence for the operator:
 * ST_CONFLICT when another process has it, ST_LOG_DOWN when the folder is unusable.
 */
enum status event_log_open(const struct event_log_config *config, struct event_log **log,
                           const char **reason);

/* As if the process had died: a clean stop is event_log_close before it. NULL: nothing.
 */
void event_log_destroy(struct event_log *log);
/* Everything is on the disk: the next start goes on, whatever happens to the machine. */
void event_log_close(struct event_log *log);

/* One event to append. A volatile one takes a seq and is not kept. */
struct event_log_entry {
    char *bytes; /* free; the log's once the append has succeeded, unless is_volatile */
    size_t len;
    bool is_volatile;
    const struct log_key *key;             /* borrows; kept with the event; NULL: none */
    const struct event_log_record *record; /* the same */
};

/*
 * All or nothing: gives the entries consecutive seqs, the first of which is `*first`.
 * `bytes` stay readable for the writer until it trims or appends again. Ceilings are
 * trim's work, so the log may be above them by one batch. ST_LOG_DOWN changes nothing:
 * the disk is full, or it cannot be written; the next one may succeed.
 */
enum status event_log_append(struct event_log *log, const struct event_log_entry *entries,
                             size_t count, uint64_t now_ms, uint64_t *first);

/* Removes a slice of what is beyond the ceilings; true while there is more. */
bool event_log_trim(struct event_log *log, uint64_t now_ms);

struct event_log_state {
    struct position head; /* the last seq given */
    /*
     * The highest seq of an event that retention removed, of whatever room;
     * event_log_marks tells it room by room.
     */
    uint64_t floor;
    uint64_t events, bytes;
    uint64_t evicted;
    bool is_down; /* the last write failed; it is tried again until it succeeds */
    bool is_lost; /* damaged beyond what a running process can mend: start anew */
};
void event_log_state(struct event_log *log, struct event_log_state *state);

/*
 * Somebody has seen a seq that the log has not given in this epoch: nothing more is
 * accepted in it, and the writer begins a new one at its next trim. One that is over
 * already changes nothing. Any thread.
 */
void event_log_overtaken(struct event_log *log, uint64_t epoch);

/* Borrows the envelope, perhaps under the lock. False: stop before this one. */
typedef bool event_log_visit_fn(void *ctx, uint64_t seq, struct slice envelope);

/*
 * Visits the events after `after` up to and including `through`. Gives a state in which
 * nothing is removed that was visited, and in `*read_through` how far the visit was
 * complete: through (or the head), or the seq before the one where it stopped. Stops by
 * itself after a bounded number of events. With `wishes` it need not visit events of
 * other rooms. A state of another epoch than the one before says that the log has begun
 * anew meanwhile: what was visited is over, and nothing is known of the rest. One thread
 * at a time.
 */
void event_log_read(struct event_log *log, uint64_t after, uint64_t through,
                    const struct room_wishes *wishes, event_log_visit_fn *visit,
                    void *ctx, struct event_log_state *state, uint64_t *read_through);

/* Chooses of the past (room_past.h): fills in what is there, and lowers past->through to
 * the head. A state of another epoch: as above. */
void event_log_past(struct event_log *log, struct room_past *past,
                    struct event_log_state *state);

uint64_t event_log_room_hash(struct event_log *log, const struct room_key *room);
/* The low-water marks: of each room the highest seq that retention removed, or more; and
 * the head of that moment, whose epoch they are of. */
void event_log_marks(struct event_log *log, const uint64_t *hashes, size_t count,
                     uint64_t *marks, struct position *head);

/* --- beside the events --- */

/* A key that was kept `age_ms` ago, oldest first. */
typedef void event_log_key_fn(void *ctx, const struct log_key *key,
                              const struct position *position, uint64_t age_ms);
/* Those of before this start, and whatever is written meanwhile. Any thread: the writer
 * waits. */
void event_log_keys(struct event_log *log, event_log_key_fn *visit, void *ctx);

enum event_log_subject {
    EVENT_LOG_SESSION, /* by its sid; one of before this start goes after a while */
    EVENT_LOG_USER,    /* stays until it is over */
    EVENT_LOG_GATEWAY, /* by its id, with events that it published; not of another epoch
                        */
};

/* What somebody knows of one of these, to be kept as it is; empty: it is over. */
struct event_log_record {
    struct event_log_record *next;
    enum event_log_subject subject;
    struct slice name, bytes;
};
/* Writer thread. All or nothing: ST_LOG_DOWN when they could not be written. */
enum status event_log_records(struct event_log *log, const struct event_log_record *first,
                              uint64_t now_ms);
/* Writer thread. Some were lost: what is kept of sessions is not to be believed, and goes
 * with the next records. */
void event_log_doubt_sessions(struct event_log *log);
/* Lent for the call: a record of before this start, which was written `age_ms` ago.
 * Any thread, as event_log_keys. */
typedef void event_log_session_fn(void *ctx, struct slice bytes, uint64_t age_ms);
void event_log_sessions(struct event_log *log, event_log_session_fn *visit, void *ctx);
/* The same of users or gateways, in the order of their writing. */
typedef void event_log_note_fn(void *ctx, struct slice name, struct slice bytes);
void event_log_notes(struct event_log *log, enum event_log_subject subject,
                     event_log_note_fn *visit, void *ctx);

#endif

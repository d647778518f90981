/*
 * The log in memory: the last events, by seq, within three ceilings. A memory log takes a
 * new epoch at each start, since it remembers nothing of the one before.
 *
 * This is where the writer thread (append, trim) and the replay thread (read) meet, so it
 * has a lock of its own: every function may be called from any thread, and holds the lock
 * for a bounded number of events.
 */
#ifndef BRIDGE_EVENT_LOG_H
#define BRIDGE_EVENT_LOG_H

#include "proto/position.h"

#include <stdbool.h>
#include <stddef.h>

struct event_log;

struct event_log_limits {
    uint64_t age_ms;
    uint64_t events;
    uint64_t bytes;
};

/* Gives a log (event_log_destroy) that is empty at `epoch`, or NULL. */
struct event_log *event_log_create(uint64_t epoch, const struct event_log_limits *keep);
void event_log_destroy(struct event_log *log);

/* One event to append. A volatile one takes a seq and is not kept. */
struct event_log_entry {
    char *bytes; /* free; the log's once the append has succeeded, unless is_volatile */
    size_t len;
    bool is_volatile;
};

/*
 * All or nothing: gives the entries consecutive seqs, the first of which is `*first`.
 * `bytes` stay readable for the writer until it trims or appends again. Ceilings are
 * trim's work, so the log may be above them by one batch. ST_LOG_DOWN (out of memory)
 * changes nothing.
 */
enum status event_log_append(struct event_log *log, const struct event_log_entry *entries,
                             size_t count, uint64_t now_ms, uint64_t *first);

/* Removes a slice of what is beyond the ceilings; true while there is more. */
bool event_log_trim(struct event_log *log, uint64_t now_ms);

struct event_log_state {
    struct position head; /* the last seq given */
    /*
     * The highest seq of an event that retention removed: the low-water mark. There is
     * one for all rooms, so it may be higher than a room's own, never lower.
     */
    uint64_t floor;
    uint64_t events, bytes;
    uint64_t evicted;
};
void event_log_state(struct event_log *log, struct event_log_state *state);

/* Borrows the envelope, under the lock. False: stop before this one. */
typedef bool event_log_visit_fn(void *ctx, uint64_t seq, struct slice envelope);

/*
 * Visits the events after `after` up to and including `through`. Gives the state of the
 * same moment, and in `*read_through` how far the visit was complete: through (or the
 * head), or the seq before the one where it stopped. Stops by itself after a bounded
 * number of events.
 */
void event_log_read(struct event_log *log, uint64_t after, uint64_t through,
                    event_log_visit_fn *visit, void *ctx, struct event_log_state *state,
                    uint64_t *read_through);

#endif

/*
 * Which events of the log are for which rooms, and what of each room retention has
 * removed: so that a replay of a few rooms reads what it gives, and nobody is told that
 * events of his rooms are gone when only others' are. Not thread-safe: its owner locks.
 *
 * Bounded: beyond ROOM_INDEX_ENTRIES it covers the newer part of the log only; among
 * ROOM_INDEX_MARKS marks, when seven eighths of them are needed, the older half becomes
 * one floor for all.
 */
#ifndef BRIDGE_ROOM_INDEX_H
#define BRIDGE_ROOM_INDEX_H

#include "bridge/time_marks.h"
#include "proto/envelope.h"
#include "proto/log_marks.h"

enum {
    ROOM_INDEX_ENTRIES = 1 << 20, /* an event has one for each of its targets */
    ROOM_INDEX_MARKS = 65536,
    ROOM_INDEX_STEPS = 65536, /* that one search takes */
    ROOM_INDEX_SLICE = 8192,  /* that one walk takes: the log is locked meanwhile */
};

struct room_index;

/* Gives an empty index (room_index_destroy), or NULL. Nothing up to `floor` is known. */
struct room_index *room_index_create(const struct hash_key *key);
void room_index_destroy(struct room_index *index);
void room_index_clear(struct room_index *index, uint64_t floor);

struct hash_key room_index_key(const struct room_index *index);
/* Of the room's namespace, kind and name. */
uint64_t room_index_hash(const struct room_index *index, const struct room_key *room);

/* The next event; what is no envelope is for every room. Borrows `bytes`,
 * an envelope. */
void room_index_add(struct room_index *index, uint64_t seq, struct slice bytes);
/* Retention has removed the events up to and including `through`. */
void room_index_remove(struct room_index *index, uint64_t through);

/* No room's mark is below `seq` from now on: it need not be kept where it is. */
void room_index_fold(struct room_index *index, uint64_t seq);

/* What was removed, to be kept; `through` and `floor` are the caller's. */
void room_index_save(const struct room_index *index, const struct log_marks *about,
                     struct buf *out);
/* Becomes empty, but for what was removed before, and takes the key that it was saved
 * with. False: out of memory. */
bool room_index_load(struct room_index *index, struct log_marks *marks);

/* The highest seq of the room that was removed, or more. */
uint64_t room_index_mark(const struct room_index *index, uint64_t hash);

/* Rooms that are asked for: `hashes` ascending. */
struct room_wishes {
    const uint64_t *hashes;
    size_t count;
};

/*
 * The first seqs after `after` of events for one of the rooms, at most `max`; hashes may
 * agree by chance, so each is to be looked at. `*through`: they are complete up to here;
 * when that is `after` itself, the index does not reach back so far.
 */
size_t room_index_find(const struct room_index *index, const struct room_wishes *wishes,
                       uint64_t after, uint64_t *seqs, size_t max, uint64_t *through);
/* It knows all that comes after this seq. */
uint64_t room_index_from(const struct room_index *index);

/* The last event that it was given. */
uint64_t room_index_last(const struct room_index *index);

/* --- the past: for who asks by time --- */

/* Lent. When the events were accepted, those that are removed too. */
const struct time_marks *room_index_times(const struct room_index *index);

/* The rooms of one event (hash 0: every room), and whether new members may get it. False:
 * stop. */
typedef bool room_index_visit_fn(void *ctx, uint64_t seq, const uint64_t *hashes,
                                 size_t count, bool is_past);
/*
 * Visit the events after `after` up to and including `through`, downwards or upwards, as
 * many as one slice has. Give where to go on: the new `through`, or the new `after`; the
 * other end when there is nothing left, or the visitor has had enough.
 */
uint64_t room_index_back(const struct room_index *index, uint64_t through, uint64_t after,
                         room_index_visit_fn *visit, void *ctx);
uint64_t room_index_forth(const struct room_index *index, uint64_t after,
                          uint64_t through, room_index_visit_fn *visit, void *ctx);

#endif

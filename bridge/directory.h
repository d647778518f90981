/*
 * Who is where: every session of every gateway, by public sid, by secret pid and by room.
 * Pure tables: time is an argument, nothing is sent. Loop thread only.
 *
 * A gateway is known by its id and its incarnation, and holds a lease. A later
 * incarnation takes the place of an earlier one; an earlier one is fenced off.
 *
 * A session lives at one gateway, or it is parked: found by its pid and counted nowhere,
 * until somebody puts it or its time is over. It is parked when its gateway says so or is
 * gone, and when it was kept before this start and nobody has put it yet. What is parked
 * has a ceiling: the oldest go first. Whose time is over is not found any more, but for
 * as long again it is known whose session it was, so that its client can be told.
 *
 * When are the counts complete? Not while they are being rebuilt: while fewer gateways
 * than expected have come and one of them may still hold a lease of an earlier directory,
 * and while a gateway has yet to say that all its sessions are put again (is_settled).
 * Nor before GRACE has passed since the directory began: one that nobody expects renews
 * within a second and redials within 10 ms. Nor while a gateway that holds a lease is
 * silent: then what it said last counts.
 */
#ifndef BRIDGE_DIRECTORY_H
#define BRIDGE_DIRECTORY_H

#include "bridge/engine.h"
#include "proto/directory_wire.h"
#include "proto/siphash.h"

enum {
    DIRECTORY_GRACE_MS = 1500,
    DIRECTORY_LEASE_MS = 10000,
    DIRECTORY_PARKED_MS = 120000, /* unless directory_set_parking says otherwise */
    DIRECTORY_SILENT_MS = 3000,   /* a gateway says something each second */
    DIRECTORY_SLICE = 1000,       /* sessions that one expire ends */
};

struct directory;
struct directory_gateway;

/* Gives an empty directory (directory_destroy), or NULL. */
struct directory *directory_create(const struct hash_key *key, uint64_t now_ms);
/* So many gateways are running beside it; 0 (at first): nobody knows. */
void directory_expect(struct directory *directory, size_t gateways);
void directory_destroy(struct directory *directory);

struct directory_parking {
    uint64_t window_ms; /* 0: nothing is parked */
    size_t max, max_bytes;
    bool is_kept; /* what is put outlives this process: see directory_may_find */
};
void directory_set_parking(struct directory *directory,
                           const struct directory_parking *parking);

/*
 * Called for each session that ends without a drop: it was parked for too long or above
 * the ceiling, it could not be put, or its pid has another sid by now. Keeps `ctx`.
 */
typedef void directory_gone_fn(void *ctx, struct slice sid);
void directory_on_gone(struct directory *directory, directory_gone_fn *on_gone,
                       void *ctx);

/* --- gateways --- */

enum directory_meeting {
    MEETING_KNOWN,
    MEETING_NEW,    /* nothing is known of it: it must put its sessions again */
    MEETING_FENCED, /* a later incarnation is known */
    MEETING_FULL,   /* LIMIT_GATEWAYS */
};

/* Lends `*out` until the next contact or expire. Any word from it renews its lease. */
enum directory_meeting directory_contact(struct directory *directory, struct slice id,
                                         uint64_t incarnation, uint64_t now_ms,
                                         struct directory_gateway **out);

/*
 * False for a request that was overtaken: a later one has been handled. The same number
 * again is true: doing it twice is doing it once.
 */
bool directory_is_in_order(struct directory_gateway *gateway, uint64_t number);

/* False: the gateway has published it before, and it was sent again. */
bool directory_is_new_event(struct directory_gateway *gateway, uint64_t serial);
/*
 * An event of the request under way could not be kept. Where the answer that says so is
 * lost the event comes again, with this request or first in the next one, and
 * directory_is_refused is true of it, and perhaps of others that came with it, also
 * when the gateway's lease was over in between. Ignored when it is a later start's.
 */
void directory_refuse(struct directory *directory, struct slice id, uint64_t incarnation,
                      uint64_t serial);
bool directory_is_refused(struct directory_gateway *gateway, uint64_t serial);
/*
 * Lends what is known of the gateway's events, as it is kept beside them: so the next
 * start knows which of them it has when they are sent again. NULL when the gateway was
 * started again, or never met.
 */
const struct directory_published *
directory_published(struct directory *directory, struct slice id, uint64_t incarnation);
/* That of before this start, or of before its lease was over: it holds once the gateway,
 * in this incarnation, is met. Of LIMIT_GATEWAYS, the last. Out of memory: of none. */
void directory_restore_published(struct directory *directory, struct slice id,
                                 const struct directory_published *published);
/*
 * Which meeting holds: a number that no other has, in no directory. A gateway that has
 * heard of another one has yet to put its sessions again, whatever became of the answer
 * that said so.
 */
uint64_t directory_meeting(const struct directory_gateway *gateway);

struct directory_lease {
    int pid;
    bool is_ready;
    bool is_settled;
    struct metrics_snapshot counters;
};
void directory_renew(struct directory_gateway *gateway,
                     const struct directory_lease *lease);

/* The gateway stops: parks its sessions, and forgets it at the next expire. */
void directory_leave(struct directory *directory, struct directory_gateway *gateway,
                     uint64_t now_ms);

/*
 * Visits at most `max` of the sessions that lived at the gateway and were taken over,
 * with the generation under which. With the next request it has heard of them.
 */
typedef void directory_moved_fn(void *ctx, struct slice sid, uint64_t generation);
size_t directory_moved(struct directory_gateway *gateway, uint64_t number, size_t max,
                       directory_moved_fn *visit, void *ctx);

/* Forgets gateways that were silent for DIRECTORY_LEASE_MS, parks their sessions, and
 * ends a slice of what has been parked for too long. */
void directory_expire(struct directory *directory, uint64_t now_ms);

void directory_gateways(struct directory *directory, uint64_t now_ms,
                        engine_gateway_fn *visit, void *ctx);

/* --- sessions --- */

/*
 * Borrows. A sid and a pid belong to one session: a record of a later term takes them
 * from whoever has them, and whoever lives elsewhere is told. Ignored: ST_OK when this
 * gateway has put a higher generation before, ST_CONFLICT when the session lives, or was
 * parked, elsewhere in as late a term or a later one. What was proven in the same epoch
 * stays proven. On ST_LIMIT and ST_NO_MEMORY the record is not there (any more).
 */
enum status directory_put(struct directory *directory, struct directory_gateway *gateway,
                          const struct engine_session *record);

/* Both are ignored when a higher generation is known, or when it is another gateway's.
 * True: it is over, or parked (without a pid: over). */
bool directory_drop(struct directory *directory, struct directory_gateway *gateway,
                    struct slice sid, uint64_t generation);
bool directory_park(struct directory *directory, struct directory_gateway *gateway,
                    struct slice sid, uint64_t generation, const struct position *proven,
                    uint64_t now_ms);

/* Ignored when it is of another epoch than the record, or of another gateway's session.
 */
void directory_prove(struct directory *directory, const struct directory_gateway *gateway,
                     struct slice sid, const struct position *proven);

/* A session as it is kept for the next start. */
struct directory_kept {
    struct engine_session session;
    struct slice gateway; /* where it lives, or lived last */
    bool is_parked;
};
/* Lends into `*kept` until the next change; false when there is none. */
bool directory_read(struct directory *directory, struct slice sid,
                    struct directory_kept *kept);

/*
 * Visits the sids of at most `max` sessions that were proven further since they were
 * written last, and counts them as written. Gives how many. Proofs are far more than
 * puts, parks and drops, which are written at once: these are gathered.
 */
size_t directory_unwritten(struct directory *directory, size_t max,
                           directory_gone_fn *visit, void *ctx);
/* What was written is lost: all of them are unwritten. */
void directory_unwrite(struct directory *directory);
/* A record of before this start, `age_ms` after it was written. Borrows. What is no
 * better than what is known is ignored, and false. */
bool directory_restore(struct directory *directory, const struct directory_kept *kept,
                       uint64_t age_ms, uint64_t now_ms);

/*
 * Lends into `*session` until the next change; false when nobody has this pid. `*gateway`
 * is empty when it is parked.
 */
bool directory_find(struct directory *directory, struct slice pid, uint64_t now_ms,
                    struct engine_session *session, struct slice *gateway);
/* The same of a session whose time was over lately, and of a bounded number of them: who
 * it was and whose, without rooms. */
bool directory_find_lapsed(struct directory *directory, struct slice pid, uint64_t now_ms,
                           struct engine_session *session);
/*
 * False while somebody may still put a later record than the one that would be found.
 * What is kept is never older than what a gateway was answered, so that after the grace
 * nobody needs to wait for gateways that are gone.
 */
bool directory_may_find(const struct directory *directory, uint64_t now_ms);

struct directory_parked {
    size_t count;
    uint64_t evicted; /* so many had to go before their time */
};
void directory_parked(const struct directory *directory, struct directory_parked *parked);

/* --- users --- */

/* As engine_ops.watch. */
void directory_watch(struct directory *directory, const struct engine_watcher *watcher,
                     void *ctx);
/* What the watcher says; 0: nobody watches. */
int64_t directory_last_seen(struct directory *directory, struct slice nsp,
                            struct slice user);

/* --- questions --- */

/* As engine_ops.count. One target without `except` takes constant time. */
void directory_count(struct directory *directory, uint64_t now_ms, struct slice nsp,
                     const struct envelope_target *targets, size_t target_count,
                     const struct slice *except, size_t except_count,
                     struct engine_count *count);

/*
 * As engine_ops.members. A page is cut from an array that joins and leaves rearrange:
 * who stays is missed or repeated only when others leave between two pages.
 */
void directory_members(struct directory *directory, const struct room_key *key,
                       struct slice cursor, size_t limit, engine_page_fn *on_page,
                       void *ctx);

/* `users` counts a user once per namespace. */
void directory_totals(struct directory *directory, uint64_t now_ms,
                      struct engine_totals *totals);

#endif

/*
 * Who is where: every session of every gateway, by public sid, by secret pid and by room.
 * Pure tables: time is an argument, nothing is sent. Loop thread only.
 *
 * A gateway is known by its id and its incarnation, and holds a lease. A later
 * incarnation takes the place of an earlier one, whose sessions go; an earlier one is
 * fenced off.
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
#include "proto/siphash.h"

enum {
    DIRECTORY_GRACE_MS = 1500,
    DIRECTORY_LEASE_MS = 10000,
    DIRECTORY_PARKED_MS = 120000,
    DIRECTORY_SILENT_MS = 3000, /* a gateway says something each second */
};

struct directory;
struct directory_gateway;

/* Gives an empty directory (directory_destroy), or NULL. */
struct directory *directory_create(const struct hash_key *key, uint64_t now_ms);
/* So many gateways are running beside it; 0 (at first): nobody knows. */
void directory_expect(struct directory *directory, size_t gateways);
void directory_destroy(struct directory *directory);

/*
 * Called for each session that ends without a drop: its gateway's lease is over, a later
 * one took the gateway's place, or somebody else has its pid by now. Keeps `ctx`.
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
 * Whether the gateway was met with this request, which is in order. When its answer was
 * lost it comes again, from a gateway that is known by then and has yet to hear that it
 * must put its sessions again.
 */
bool directory_met_with(const struct directory_gateway *gateway, uint64_t number);

struct directory_lease {
    int pid;
    bool is_ready;
    bool is_settled;
    struct metrics_snapshot counters;
};
void directory_renew(struct directory_gateway *gateway,
                     const struct directory_lease *lease);

/* Forgets gateways that were silent for DIRECTORY_LEASE_MS, and their sessions. */
void directory_expire(struct directory *directory, uint64_t now_ms);

void directory_gateways(struct directory *directory, uint64_t now_ms,
                        engine_gateway_fn *visit, void *ctx);

/* --- sessions --- */

/*
 * Borrows. A sid and a pid belong to one session: a record with a higher generation takes
 * them from whoever has them. Ignored: ST_OK when this gateway has put a higher
 * generation before, ST_CONFLICT when the session lives elsewhere by now, under as high a
 * generation or a higher one. On ST_LIMIT and ST_NO_MEMORY the record is not there (any
 * more).
 */
enum status directory_put(struct directory *directory, struct directory_gateway *gateway,
                          const struct engine_session *record);

/* Ignored when a higher generation is known, or the session lives elsewhere. */
void directory_drop(struct directory *directory, struct directory_gateway *gateway,
                    struct slice sid, uint64_t generation);

/*
 * A record of before this start: nobody has the session, and no count has it, but it is
 * found until it is put or DIRECTORY_PARKED_MS have passed. Borrows; what is no better
 * than what is known is ignored.
 */
void directory_park(struct directory *directory, const struct engine_session *record,
                    uint64_t now_ms);

/* Lends into `*session` until the next change; false when nobody has this pid. `*gateway`
 * is empty when it lives nowhere. */
bool directory_find(struct directory *directory, struct slice pid,
                    struct engine_session *session, struct slice *gateway);

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

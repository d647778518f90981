/*
 * Who is there, and what was told of it: the machine between the directory, which knows
 * sessions, and the log, which keeps what was said. Pure: time is an argument, nothing is
 * sent. Loop thread only.
 *
 * Of each user in a namespace it knows whether they are here and what was said last.
 * Where the two differ, there is news: at once when they are here, after `grace` when
 * they are away. So what is said alternates for each user, whatever happens in between,
 * and what lasts less than the grace is never said. One piece of news of a user is under
 * way at a time; it is said once it is kept, and comes again a while later if it was not.
 *
 * Nothing is news while the directory is being rebuilt. After a start it is compared with
 * what was said before it (presence_table_restore); where nothing is known of that, who
 * is here at the end of the rebuilding was here before, and is taken down in silence.
 */
#ifndef PUBLISHER_API_PRESENCE_TABLE_H
#define PUBLISHER_API_PRESENCE_TABLE_H

#include "proto/presence_note.h"
#include "proto/siphash.h"

struct presence_table;

/* The user is forgotten: was away for longer than all the others that are known. `name`
 * as presence_note_name. */
typedef void presence_forget_fn(void *ctx, struct slice name);

struct presence_limits {
    uint64_t grace_ms;
    uint64_t return_ms; /* how long, at least, who was here before a start may take */
    size_t max_away;    /* users that are away and known; 0: none */
};

/* Gives an empty table (presence_table_destroy), or NULL. Keeps `ctx`. */
struct presence_table *presence_table_create(const struct presence_limits *limits,
                                             const struct hash_key *key,
                                             presence_forget_fn *on_forget, void *ctx);
void presence_table_destroy(struct presence_table *table);
/* Other limits from now on: who waits already waits no longer than they say. */
void presence_table_limit(struct presence_table *table,
                          const struct presence_limits *limits, uint64_t now_ms);

/* What was noted before this start, in the order of the notes. Before all that follows.
 */
void presence_table_restore(struct presence_table *table, struct slice name,
                            const struct presence_note *note);
/* All notes are restored; they were last known to be true at `true_ms` (wall clock): who
 * was online was last seen then. */
void presence_table_restored(struct presence_table *table, int64_t true_ms);

/* As engine_watcher.on_user. Out of memory: nothing is known of the user. */
void presence_table_user(struct presence_table *table, struct slice nsp, struct slice who,
                         bool is_here, uint64_t now_ms, int64_t wall_ms);

/* Whether the directory is being rebuilt: before each look at what is new. */
void presence_table_rebuild(struct presence_table *table, bool is_rebuilding,
                            uint64_t now_ms);

struct presence_user;

/* What is to be told of a user. */
struct presence_news {
    struct presence_user *who; /* the ticket: presence_table_told, once */
    struct slice name;         /* lent until then, as the next two */
    struct slice nsp, user;
    bool is_online;
    bool is_silent;       /* it is to be noted alone: it was so before */
    int64_t last_seen_ms; /* of who comes: before that; 0: never */
};
/* False: nothing now. */
bool presence_table_next(struct presence_table *table, uint64_t now_ms,
                         struct presence_news *news);
/* Whether it was kept. */
void presence_table_told(struct presence_table *table, struct presence_user *who,
                         bool is_kept, uint64_t now_ms);

/* When the user was last connected, `wall_ms` for who is here; 0: nobody knows. */
int64_t presence_table_last_seen(const struct presence_table *table, struct slice nsp,
                                 struct slice who, int64_t wall_ms);

/* Users that are known, and those of them that are here. */
size_t presence_table_count(const struct presence_table *table);
size_t presence_table_here(const struct presence_table *table);

#endif

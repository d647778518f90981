/*
 * Inside the directory: what its parts share, sessions (directory.c), rooms
 * (directory_rooms.c), gateways (directory_gateways.c), what they publish
 * (directory_published.c), those whose time is over (directory_lapsed.c) and questions
 * (directory_query.c).
 * Nobody else includes this.
 */
#ifndef BRIDGE_DIRECTORY_TABLES_H
#define BRIDGE_DIRECTORY_TABLES_H

#include "bridge/directory.h"
#include "bridge/list.h"
#include "bridge/str_map.h"

/* One place in a room's dense array: who, and which of its memberships this is. */
struct directory_place {
    struct directory_session *session;
    size_t membership;
};

struct directory_room {
    enum room_kind kind;
    struct slice key; /* the map's; its bytes follow the struct */
    struct directory_place *places;
    size_t count;
    size_t capacity;
};

struct directory_membership {
    struct directory_room *room;
    size_t place; /* index in room->places */
};

/* One heap block holds it, and its texts behind `memberships`. */
struct directory_session {
    struct directory_gateway *gateway;      /* NULL: parked, or its time is over */
    struct slice home;                      /* the id of that one, or of the last */
    struct directory_session *next, **link; /* of the gateway's sessions, or the parked */
    struct directory_session *next_unwritten, **unwritten_link; /* NULL: it is written */
    struct engine_session record;                               /* slices point behind */
    struct engine_membership *names;                            /* = record.rooms */
    struct directory_membership *memberships;
    size_t
        membership_count; /* everybody, user (if any), then the named rooms; parked: 0 */
    size_t bytes;         /* of the block */
    uint64_t stamp;       /* of the count that saw it last; parked: when its time is over;
                             lapsed: when it is forgotten */
    bool is_lapsed;
};

/* A session that the gateway put and that lives elsewhere by now. */
struct directory_notice {
    struct directory_notice *next;
    uint64_t generation;
    struct slice sid; /* bytes follow the struct */
};

struct directory_gateway {
    struct directory_gateway *next;
    struct slice id; /* bytes follow the struct */
    uint64_t incarnation;
    uint64_t last_number; /* of its requests; 0: met, and none came yet */
    uint64_t meeting;     /* directory_meeting */
    struct directory_published published;
    uint64_t refused_number; /* of the last request that had some of those refused */
    uint64_t heard_ms;
    struct directory_lease lease;
    struct directory_session *sessions;
    struct directory_notice *first_notice, **last_notice;
    size_t notice_count;
    uint64_t told_number; /* the request whose answer told */
    size_t told_count;    /* so many of the notices */
};

/* What a gateway had published before, until it is met. */
struct directory_past {
    struct list_node node;
    struct directory_published published;
    bool has_refused; /* some of the request that was under way when its lease was over */
    struct slice id;  /* bytes follow the struct */
};

struct directory {
    struct str_map by_sid;      /* directory_session, also parked ones */
    struct str_map by_pid;      /* the same */
    struct str_map by_room;     /* directory_room */
    directory_gone_fn *on_gone; /* NULL: nobody asks */
    void *gone_ctx;
    const struct engine_watcher *watcher; /* NULL: nobody minds users */
    void *watcher_ctx;
    struct directory_parking parking;
    struct directory_session *first_parked, **last_parked; /* by the time of parking */
    size_t parked_count, parked_bytes;
    uint64_t evicted_count;
    struct directory_session *first_lapsed, **last_lapsed; /* by_pid has them, no other */
    size_t lapsed_count;
    struct directory_session *first_unwritten, **last_unwritten;
    struct directory_gateway *gateways;
    size_t gateway_count;
    struct list_node past; /* directory_past, the last one written last */
    size_t past_count;
    size_t expected_count; /* gateways that run beside it */
    uint64_t began_ms;
    uint64_t stamp;
    uint64_t last_meeting;              /* from a random number on */
    uint64_t users, rooms, memberships; /* rooms: named ones */
};

enum {
    /* kind, namespace, a zero (no namespace has one), name */
    DIRECTORY_KEY_BYTES = 2 + LIMIT_NAMESPACE_BYTES + LIMIT_ROOM_BYTES,
};

/* Writes the map's key; empty when a part is too long to be anybody's room. */
struct slice directory_room_key(char out[DIRECTORY_KEY_BYTES], struct slice nsp,
                                enum room_kind kind, struct slice name);

/* The room is a user's: the watcher, who is there, is told. */
void directory_tell_user(struct directory *directory, const struct directory_room *room,
                         bool is_here);

/* Into everybody, its user and its rooms; false: out of memory, and it is in some. */
bool directory_join_all(struct directory *directory, struct directory_session *session);
void directory_leave_all(struct directory *directory, struct directory_session *session);

/* Parks what lives at the gateway. */
void directory_park_all(struct directory *directory, struct directory_gateway *gateway,
                        uint64_t now_ms);
/* Ends a slice of what has been parked for too long. */
void directory_expire_parked(struct directory *directory, uint64_t now_ms);

/* A copy of the record in one block (free), not yet in any table; NULL: out of memory. */
struct directory_session *directory_copy(const struct engine_session *record,
                                         struct slice home);
/* From its tables and lists, and free. */
void directory_remove(struct directory *directory, struct directory_session *session);

/* What is left of a session whose time is over: whose it was. As directory_copy. */
struct directory_session *directory_remains(const struct engine_session *record,
                                            struct slice home);
/* Remembers it until `until_ms`, unless somebody has its pid. Takes `remains`, which may
 * be NULL. */
void directory_remember(struct directory *directory, struct directory_session *remains,
                        uint64_t until_ms);
/* From the list of those. */
void directory_unlink_lapsed(struct directory *directory,
                             struct directory_session *session);
/* Forgets a slice of those that were remembered long enough. */
void directory_expire_lapsed(struct directory *directory, uint64_t now_ms);

/* Has the gateway told; nothing happens when out of memory. */
void directory_notify(struct directory_gateway *gateway, struct slice sid,
                      uint64_t generation);
void directory_gateway_destroy(struct directory_gateway *gateway);
/* NULL: nobody has met it. */
struct directory_gateway *directory_find_gateway(struct directory *directory,
                                                 struct slice id);

/* What the gateway, just met, had published before this start, which is forgotten here.
 */
void directory_take_past(struct directory *directory, struct directory_gateway *gateway);
/* Its lease is over: what it had published is remembered. */
void directory_become_past(struct directory *directory,
                           const struct directory_gateway *gateway);
void directory_forget_past(struct directory *directory);

#endif

/*
 * Inside the directory: what its two halves share, sessions and rooms (directory.c) and
 * questions (directory_query.c). Nobody else includes this.
 */
#ifndef BRIDGE_DIRECTORY_TABLES_H
#define BRIDGE_DIRECTORY_TABLES_H

#include "bridge/directory.h"
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
    struct directory_gateway *gateway;
    struct directory_session *next, **link; /* of the gateway's sessions */
    struct engine_session record;           /* slices point behind */
    struct engine_membership *names;        /* = record.rooms */
    struct directory_membership *memberships;
    size_t membership_count; /* everybody, user (if any), then the named rooms */
    uint64_t stamp; /* of the count that saw it last; parked: when its time is over */
};

struct directory_gateway {
    struct directory_gateway *next;
    struct slice id; /* bytes follow the struct */
    uint64_t incarnation;
    uint64_t last_number; /* of its requests; 0: met, and none came yet */
    uint64_t met_number;  /* of the first one since it was met */
    uint64_t last_serial; /* of the events that it published */
    uint64_t heard_ms;
    struct directory_lease lease;
    struct directory_session *sessions;
};

struct directory {
    struct str_map by_sid;      /* directory_session */
    struct str_map by_pid;      /* directory_session */
    struct str_map by_room;     /* directory_room */
    struct str_map parked;      /* directory_session, by pid: of no gateway */
    directory_gone_fn *on_gone; /* NULL: nobody asks */
    void *gone_ctx;
    const struct engine_watcher *watcher; /* NULL: nobody minds users */
    void *watcher_ctx;
    struct directory_session *first_parked, **last_parked; /* the oldest first */
    struct directory_gateway *gateways;
    size_t gateway_count;
    size_t expected_count; /* gateways that run beside it */
    uint64_t began_ms;
    uint64_t stamp;
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

#endif

/*
 * Rooms: who listens to what on this gateway. A room exists while it has a member. Its
 * members stand side by side with all that fan-out needs, so that 10,000 deliveries walk
 * one array and touch no session. A socket's own room is not kept here: it would have one
 * member for ever, and session_find knows it. Loop thread.
 */
#ifndef CLIENT_GW_ROOM_H
#define CLIENT_GW_ROOM_H

#include "bridge/metrics.h"
#include "proto/room_name.h"

struct session;
struct room;
struct room_set;

enum {
    ROOM_MEMBER_DIRECT = 1, /* fd may be written at once: open, nothing waits */
};

/* One member, as it lies in the array. */
struct room_member {
    int fd;
    uint8_t flags;
    uint8_t voice; /* its number: which of an event's frames it gets */
    uint16_t slot; /* in the session's list of memberships */
    struct session *session;
};

/* A session's side: where in the room it stands. Kept up to date by room.c. */
struct membership {
    struct room *room;
    uint64_t joined_seq;
    uint32_t index;
    uint32_t asked_at; /* session.c: the generation of the last join, its lower half */
};

/* Gives an empty set (room_set_destroy), or NULL. */
struct room_set *room_set_create(struct metrics *metrics, size_t max_rooms);
void room_set_destroy(struct room_set *set);

/* NULL when nobody is in it. */
struct room *room_find(const struct room_set *set, const struct room_key *key);

/*
 * Puts `member` into the room (made if need be) and writes where to `membership`, which
 * may move: the room finds it by member->slot. Borrows `key`. On ST_LIMIT (max_rooms) and
 * ST_NO_MEMORY nothing has changed.
 */
enum status room_join(struct room_set *set, const struct room_key *key,
                      const struct room_member *member, struct membership *membership);

/*
 * Takes the member out; the room goes with its last one. The last member of the array
 * moves into the gap, which its session's membership list is told.
 */
void room_leave(struct room_set *set, const struct membership *membership);

/* Lends the array until the next join or leave. */
struct room_member *room_members(const struct room *room, size_t *count);
struct room_member *room_member_at(const struct membership *membership);

/* Lent as long as the room exists. */
struct slice room_name(const struct room *room);
enum room_kind room_kind(const struct room *room);

#endif

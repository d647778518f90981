/* Rooms: see the header. */
#include "client-gw/room.h"

#include "bridge/random.h"
#include "bridge/str_map.h"
#include "client-gw/session.h"
#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_MEMBERS = 4,
    KEY_BYTES = 1 + LIMIT_NAMESPACE_BYTES + 1 + LIMIT_ROOM_BYTES,
};

struct room {
    struct room_member *members;
    uint32_t count, cap;
    enum room_kind kind;
    uint16_t key_len, name_at;
    char key[]; /* kind, namespace, NUL, name */
};

struct room_set {
    struct str_map rooms;
    struct metrics *metrics;
};

struct room_set *room_set_create(struct metrics *metrics, size_t max_rooms)
{
    struct room_set *set = calloc(1, sizeof *set);
    struct hash_key key = random_hash_key();

    if (!set)
        return NULL;
    set->metrics = metrics;
    str_map_init(&set->rooms, &key, max_rooms);
    return set;
}

void room_set_destroy(struct room_set *set)
{
    struct room *room;

    if (!set)
        return;
    for (size_t cursor = 0; (room = str_map_next(&set->rooms, &cursor));) {
        free(room->members);
        free(room);
    }
    str_map_finish(&set->rooms);
    free(set);
}

/* A room's key as bytes; no namespace has a NUL, so no two keys are alike. */
static struct slice key_bytes(const struct room_key *key, char out[KEY_BYTES])
{
    size_t len = 0;

    out[len++] = (char)('0' + key->kind);
    memcpy(out + len, key->nsp.ptr, key->nsp.len);
    len += key->nsp.len;
    out[len++] = '\0';
    if (key->name.len)
        memcpy(out + len, key->name.ptr, key->name.len);
    return (struct slice){out, len + key->name.len};
}

static bool key_fits(const struct room_key *key)
{
    return key->nsp.len <= LIMIT_NAMESPACE_BYTES && key->name.len <= LIMIT_ROOM_BYTES;
}

struct room *room_find(const struct room_set *set, const struct room_key *key)
{
    char bytes[KEY_BYTES];

    return key_fits(key) ? str_map_find(&set->rooms, key_bytes(key, bytes)) : NULL;
}

/* Which gauge counts rooms of this kind; METRIC_COUNT: none. */
static enum metric gauge_of(enum room_kind kind)
{
    switch (kind) {
    case ROOM_NAMED: return METRIC_ROOMS;
    case ROOM_USER: return METRIC_USERS;
    default: return METRIC_COUNT;
    }
}

static enum status room_add(struct room_set *set, const struct room_key *key,
                            struct room **added)
{
    char bytes[KEY_BYTES];
    struct slice whole = key_bytes(key, bytes);
    struct room *room = calloc(1, sizeof *room + whole.len);

    if (!room)
        return ST_NO_MEMORY;
    memcpy(room->key, whole.ptr, whole.len);
    room->kind = key->kind;
    room->key_len = (uint16_t)whole.len;
    room->name_at = (uint16_t)(whole.len - key->name.len);
    enum status st = str_map_put(&set->rooms, (struct slice){room->key, whole.len}, room);
    if (st) {
        free(room);
        return st;
    }
    if (gauge_of(key->kind) != METRIC_COUNT)
        metrics_add(set->metrics, gauge_of(key->kind), 1);
    *added = room;
    return ST_OK;
}

static void room_remove(struct room_set *set, struct room *room)
{
    if (gauge_of(room->kind) != METRIC_COUNT)
        metrics_add(set->metrics, gauge_of(room->kind), -1);
    str_map_remove(&set->rooms, (struct slice){room->key, room->key_len});
    free(room->members);
    free(room);
}

static enum status make_room(struct room *room)
{
    if (room->count < room->cap)
        return ST_OK;
    uint32_t cap =
        room->cap ? room->cap * 2 : (room->kind == ROOM_NAMED ? FIRST_MEMBERS : 1);
    struct room_member *grown = realloc(room->members, cap * sizeof *grown);
    if (!grown)
        return ST_NO_MEMORY;
    room->members = grown;
    room->cap = cap;
    return ST_OK;
}

enum status room_join(struct room_set *set, const struct room_key *key,
                      const struct room_member *member, struct membership *membership)
{
    struct room *room = room_find(set, key);

    if (!room) {
        enum status st = key_fits(key) ? room_add(set, key, &room) : ST_BAD_TARGET;
        if (st)
            return st;
    }
    enum status st = make_room(room);
    if (st) {
        if (room->count == 0)
            room_remove(set, room);
        return st;
    }
    membership->room = room;
    membership->index = room->count;
    room->members[room->count++] = *member;
    if (room->kind == ROOM_NAMED)
        metrics_add(set->metrics, METRIC_MEMBERSHIPS, 1);
    return ST_OK;
}

void room_leave(struct room_set *set, const struct membership *membership)
{
    struct room *room = membership->room;
    uint32_t index = membership->index;
    uint32_t last = --room->count;

    if (room->kind == ROOM_NAMED)
        metrics_add(set->metrics, METRIC_MEMBERSHIPS, -1);
    if (index != last) {
        room->members[index] = room->members[last];
        session_membership(room->members[index].session, room->members[index].slot)
            ->index = index;
    }
    if (room->count == 0)
        room_remove(set, room);
}

struct room_member *room_members(const struct room *room, size_t *count)
{
    *count = room->count;
    return room->members;
}

struct room_member *room_member_at(const struct membership *membership)
{
    return &membership->room->members[membership->index];
}

struct slice room_name(const struct room *room)
{
    return (struct slice){room->key + room->name_at,
                          (size_t)(room->key_len - room->name_at)};
}

enum room_kind room_kind(const struct room *room)
{
    return room->kind;
}

/* Rooms of the directory, and who is in them: see directory_tables.h. */
#include "bridge/directory_tables.h"

#include <stdlib.h>
#include <string.h>

struct slice directory_room_key(char out[DIRECTORY_KEY_BYTES], struct slice nsp,
                                enum room_kind kind, struct slice name)
{
    if (nsp.len > LIMIT_NAMESPACE_BYTES || name.len > LIMIT_ROOM_BYTES)
        return (struct slice){0};

    char *at = out;
    *at++ = (char)kind;
    if (nsp.len > 0)
        memcpy(at, nsp.ptr, nsp.len);
    at += nsp.len;
    *at++ = 0;
    if (name.len > 0)
        memcpy(at, name.ptr, name.len);
    return (struct slice){out, (size_t)(at - out) + name.len};
}

/* How many rooms of its kind there are, for the totals; everybody is not one. A user is
 * there as long as their room. */
static void count_room(struct directory *directory, const struct directory_room *room,
                       int change)
{
    if (room->kind == ROOM_NAMED)
        directory->rooms += (uint64_t)change;
    if (room->kind != ROOM_USER)
        return;
    directory->users += (uint64_t)change;
    if (directory->watcher)
        directory_tell_user(directory, room, change > 0);
}

static struct directory_room *obtain_room(struct directory *directory, struct slice nsp,
                                          enum room_kind kind, struct slice name)
{
    char bytes[DIRECTORY_KEY_BYTES];
    struct slice key = directory_room_key(bytes, nsp, kind, name);
    struct directory_room *room = str_map_find(&directory->by_room, key);

    if (room || key.len == 0)
        return room;
    room = calloc(1, sizeof *room + key.len);
    if (!room)
        return NULL;
    room->kind = kind;
    room->key = (struct slice){memcpy(room + 1, key.ptr, key.len), key.len};
    if (str_map_put(&directory->by_room, room->key, room)) {
        free(room);
        return NULL;
    }
    count_room(directory, room, 1);
    return room;
}

static void release_room(struct directory *directory, struct directory_room *room)
{
    if (room->count > 0)
        return;
    str_map_remove(&directory->by_room, room->key);
    count_room(directory, room, -1);
    free(room->places);
    free(room);
}

static bool join(struct directory *directory, struct directory_session *session,
                 enum room_kind kind, struct slice name)
{
    struct directory_room *room = obtain_room(directory, session->record.nsp, kind, name);

    if (!room)
        return false;
    /* Named twice in one record: nobody has joined in between. */
    if (room->count > 0 && room->places[room->count - 1].session == session)
        return true;
    if (room->count == room->capacity) {
        size_t capacity = room->capacity ? room->capacity * 2 : 4;
        struct directory_place *grown = realloc(room->places, capacity * sizeof *grown);
        if (!grown) {
            release_room(directory, room);
            return false;
        }
        room->places = grown;
        room->capacity = capacity;
    }
    room->places[room->count] =
        (struct directory_place){session, session->membership_count};
    session->memberships[session->membership_count++] =
        (struct directory_membership){room, room->count++};
    directory->memberships += kind == ROOM_NAMED;
    return true;
}

/* The last place moves into the hole, so that the array stays dense. */
static void leave(struct directory *directory, struct directory_session *session,
                  size_t membership)
{
    struct directory_room *room = session->memberships[membership].room;
    size_t hole = session->memberships[membership].place;
    struct directory_place *last = &room->places[--room->count];

    room->places[hole] = *last;
    last->session->memberships[last->membership].place = hole;
    directory->memberships -= room->kind == ROOM_NAMED;
    release_room(directory, room);
}

bool directory_join_all(struct directory *directory, struct directory_session *session)
{
    const struct engine_session *record = &session->record;

    if (!join(directory, session, ROOM_ALL, (struct slice){0}))
        return false;
    if (record->user.len > 0 && !join(directory, session, ROOM_USER, record->user))
        return false;
    for (size_t i = 0; i < record->room_count; i++) {
        if (!join(directory, session, ROOM_NAMED, record->rooms[i].name))
            return false;
    }
    return true;
}

void directory_leave_all(struct directory *directory, struct directory_session *session)
{
    while (session->membership_count > 0)
        leave(directory, session, --session->membership_count);
}

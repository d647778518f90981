/* Sessions and their rooms: see the header. Questions: directory_query.c. */
#include "bridge/directory_tables.h"

#include <stdlib.h>
#include <string.h>

struct directory *directory_create(const struct hash_key *key, uint64_t now_ms)
{
    struct directory *directory = calloc(1, sizeof *directory);

    if (!directory)
        return NULL;
    str_map_init(&directory->by_sid, key, LIMIT_DIRECTORY_SESSIONS);
    str_map_init(&directory->by_pid, key, LIMIT_DIRECTORY_SESSIONS);
    str_map_init(&directory->by_room, key, LIMIT_DIRECTORY_ROOMS);
    str_map_init(&directory->parked, key, LIMIT_DIRECTORY_SESSIONS);
    directory->last_parked = &directory->first_parked;
    directory->began_ms = now_ms;
    return directory;
}

void directory_expect(struct directory *directory, size_t gateways)
{
    directory->expected_count = gateways;
}

void directory_on_gone(struct directory *directory, directory_gone_fn *on_gone, void *ctx)
{
    directory->on_gone = on_gone;
    directory->gone_ctx = ctx;
}

static void tell_gone(struct directory *directory,
                      const struct directory_session *session)
{
    if (directory->on_gone)
        directory->on_gone(directory->gone_ctx, session->record.sid);
}

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

/* Ends a session that no gateway's list leads to. */
static void erase(struct directory *directory, struct directory_session *session)
{
    while (session->membership_count > 0)
        leave(directory, session, --session->membership_count);
    if (str_map_find(&directory->by_sid, session->record.sid) == session)
        str_map_remove(&directory->by_sid, session->record.sid);
    if (session->record.pid.len > 0 &&
        str_map_find(&directory->by_pid, session->record.pid) == session)
        str_map_remove(&directory->by_pid, session->record.pid);
    free(session);
}

static void remove_session(struct directory *directory, struct directory_session *session)
{
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    erase(directory, session);
}

static void forget_sessions(struct directory *directory,
                            struct directory_gateway *gateway)
{
    struct directory_session *session = gateway->sessions;

    gateway->sessions = NULL;
    while (session) {
        struct directory_session *next = session->next;
        tell_gone(directory, session);
        erase(directory, session);
        session = next;
    }
}

/* --- parked: of before this start --- */

static void unpark(struct directory *directory, struct directory_session *session)
{
    *session->link = session->next;
    *(session->next ? &session->next->link : &directory->last_parked) = session->link;
    str_map_remove(&directory->parked, session->record.pid);
    free(session);
}

void directory_destroy(struct directory *directory)
{
    if (!directory)
        return;
    while (directory->gateways) {
        struct directory_gateway *gateway = directory->gateways;
        forget_sessions(directory, gateway);
        directory->gateways = gateway->next;
        free(gateway);
    }
    while (directory->first_parked)
        unpark(directory, directory->first_parked);
    str_map_finish(&directory->parked);
    str_map_finish(&directory->by_sid);
    str_map_finish(&directory->by_pid);
    str_map_finish(&directory->by_room);
    free(directory);
}

static struct slice copy_text(char **at, struct slice text)
{
    struct slice copy = {*at, text.len};

    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

/* A copy of the record in one block, not yet in any table. */
static struct directory_session *copy_session(const struct engine_session *record)
{
    size_t rooms = record->room_count;
    size_t texts = record->sid.len + record->pid.len + record->nsp.len + record->user.len;
    struct directory_session *session;

    for (size_t i = 0; i < rooms; i++)
        texts += record->rooms[i].name.len;
    session = calloc(1, sizeof *session + rooms * sizeof *session->names +
                            (rooms + 2) * sizeof *session->memberships + texts);
    if (!session)
        return NULL;
    session->names = (struct engine_membership *)(session + 1);
    session->memberships = (struct directory_membership *)(session->names + rooms);

    char *at = (char *)(session->memberships + rooms + 2);
    session->record = *record;
    session->record.sid = copy_text(&at, record->sid);
    session->record.pid = copy_text(&at, record->pid);
    session->record.nsp = copy_text(&at, record->nsp);
    session->record.user = copy_text(&at, record->user);
    session->record.rooms = session->names;
    for (size_t i = 0; i < rooms; i++) {
        session->names[i] = record->rooms[i];
        session->names[i].name = copy_text(&at, record->rooms[i].name);
    }
    return session;
}

static bool join_all(struct directory *directory, struct directory_session *session)
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

static enum status add_session(struct directory *directory,
                               struct directory_gateway *gateway,
                               struct directory_session *session)
{
    enum status st = str_map_put(&directory->by_sid, session->record.sid, session);

    if (!st && session->record.pid.len > 0)
        st = str_map_put(&directory->by_pid, session->record.pid, session);
    if (!st && !join_all(directory, session))
        st = ST_NO_MEMORY;
    if (st) {
        erase(directory, session);
        return st;
    }
    session->gateway = gateway;
    session->next = gateway->sessions;
    session->link = &gateway->sessions;
    if (session->next)
        session->next->link = &session->next;
    gateway->sessions = session;
    return ST_OK;
}

static bool has_other_sid(const struct directory_session *known,
                          const struct engine_session *record)
{
    return !slice_equal(known->record.sid, record->sid);
}

/* Whether `known` keeps the sid or pid that `record` has, too. */
static bool outranks(const struct directory_session *known,
                     const struct directory_gateway *gateway,
                     const struct engine_session *record)
{
    bool is_elsewhere = known->gateway != gateway || has_other_sid(known, record);

    return known->record.generation > record->generation ||
           (known->record.generation == record->generation && is_elsewhere);
}

enum status directory_put(struct directory *directory, struct directory_gateway *gateway,
                          const struct engine_session *record)
{
    struct directory_session *known = str_map_find(&directory->by_sid, record->sid);
    struct directory_session *heir =
        record->pid.len > 0 ? str_map_find(&directory->by_pid, record->pid) : NULL;

    if (known && outranks(known, gateway, record))
        return known->gateway == gateway ? ST_OK : ST_CONFLICT;
    if (heir && heir != known && outranks(heir, gateway, record))
        return ST_CONFLICT;

    struct directory_session *parked =
        record->pid.len > 0 ? str_map_find(&directory->parked, record->pid) : NULL;
    if (parked && has_other_sid(parked, record) &&
        parked->record.generation >= record->generation)
        return ST_CONFLICT;

    struct directory_session *session = copy_session(record);
    if (!session)
        return ST_NO_MEMORY;
    if (parked) {
        if (has_other_sid(parked, record))
            tell_gone(directory, parked);
        unpark(directory, parked);
    }
    if (heir && heir != known) {
        tell_gone(directory, heir);
        remove_session(directory, heir);
    }
    if (known)
        remove_session(directory, known);
    return add_session(directory, gateway, session);
}

void directory_drop(struct directory *directory, struct directory_gateway *gateway,
                    struct slice sid, uint64_t generation)
{
    struct directory_session *known = str_map_find(&directory->by_sid, sid);

    if (known && known->gateway == gateway && known->record.generation <= generation)
        remove_session(directory, known);
}

bool directory_find(struct directory *directory, struct slice pid,
                    struct engine_session *session, struct slice *gateway)
{
    const struct directory_session *known = str_map_find(&directory->by_pid, pid);

    if (!known)
        known = str_map_find(&directory->parked, pid);
    if (!known)
        return false;
    *session = known->record;
    *gateway = known->gateway ? known->gateway->id : (struct slice){0};
    return true;
}

void directory_park(struct directory *directory, const struct engine_session *record,
                    uint64_t now_ms)
{
    struct directory_session *other = str_map_find(&directory->parked, record->pid);

    if (record->pid.len == 0 || str_map_find(&directory->by_pid, record->pid) ||
        (other && other->record.generation > record->generation))
        return;
    if (other)
        unpark(directory, other);
    struct directory_session *session = copy_session(record);
    if (!session)
        return;
    if (str_map_put(&directory->parked, session->record.pid, session)) {
        free(session);
        return;
    }
    session->stamp = now_ms + DIRECTORY_PARKED_MS;
    session->link = directory->last_parked;
    *directory->last_parked = session;
    directory->last_parked = &session->next;
}

/* --- gateways --- */

static struct directory_gateway *find_gateway(struct directory *directory,
                                              struct slice id)
{
    struct directory_gateway *gateway = directory->gateways;

    while (gateway && !slice_equal(gateway->id, id))
        gateway = gateway->next;
    return gateway;
}

static struct directory_gateway *add_gateway(struct directory *directory, struct slice id)
{
    if (directory->gateway_count == LIMIT_GATEWAYS || id.len > LIMIT_GATEWAY_ID_BYTES)
        return NULL;
    struct directory_gateway *gateway = calloc(1, sizeof *gateway + id.len);
    if (!gateway)
        return NULL;
    gateway->id = (struct slice){memcpy(gateway + 1, id.ptr, id.len), id.len};
    gateway->next = directory->gateways;
    directory->gateways = gateway;
    directory->gateway_count++;
    return gateway;
}

enum directory_meeting directory_contact(struct directory *directory, struct slice id,
                                         uint64_t incarnation, uint64_t now_ms,
                                         struct directory_gateway **out)
{
    struct directory_gateway *gateway = find_gateway(directory, id);

    *out = gateway;
    if (gateway && gateway->incarnation == incarnation) {
        gateway->heard_ms = now_ms;
        return MEETING_KNOWN;
    }
    if (gateway && gateway->incarnation > incarnation)
        return MEETING_FENCED;
    if (gateway)
        forget_sessions(directory, gateway);
    else
        gateway = add_gateway(directory, id);
    *out = gateway;
    if (!gateway)
        return MEETING_FULL;
    gateway->incarnation = incarnation;
    gateway->last_number = 0;
    gateway->last_serial = 0;
    gateway->heard_ms = now_ms;
    gateway->lease = (struct directory_lease){0};
    return MEETING_NEW;
}

bool directory_is_in_order(struct directory_gateway *gateway, uint64_t number)
{
    if (number < gateway->last_number)
        return false;
    if (gateway->last_number == 0)
        gateway->met_number = number;
    gateway->last_number = number;
    return true;
}

bool directory_is_new_event(struct directory_gateway *gateway, uint64_t serial)
{
    if (serial <= gateway->last_serial)
        return false;
    gateway->last_serial = serial;
    return true;
}

bool directory_met_with(const struct directory_gateway *gateway, uint64_t number)
{
    return gateway->met_number == number;
}

void directory_renew(struct directory_gateway *gateway,
                     const struct directory_lease *lease)
{
    gateway->lease = *lease;
}

void directory_expire(struct directory *directory, uint64_t now_ms)
{
    struct directory_gateway **link = &directory->gateways;

    while (directory->first_parked && directory->first_parked->stamp <= now_ms)
        unpark(directory, directory->first_parked);
    while (*link) {
        struct directory_gateway *gateway = *link;
        if (now_ms - gateway->heard_ms <= DIRECTORY_LEASE_MS) {
            link = &gateway->next;
            continue;
        }
        forget_sessions(directory, gateway);
        *link = gateway->next;
        directory->gateway_count--;
        free(gateway);
    }
}

void directory_gateways(struct directory *directory, uint64_t now_ms,
                        engine_gateway_fn *visit, void *ctx)
{
    struct directory_gateway *gateway = directory->gateways;

    for (; gateway; gateway = gateway->next) {
        struct engine_gateway seen = {
            .id = gateway->id,
            .pid = gateway->lease.pid,
            .is_ready = gateway->lease.is_ready &&
                        now_ms - gateway->heard_ms < DIRECTORY_SILENT_MS,
            .lag_ms = now_ms - gateway->heard_ms,
            .counters = gateway->lease.counters,
        };
        visit(ctx, &seen);
    }
}

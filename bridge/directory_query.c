/* Counts, pages and the watcher of users: see directory.h. */
#include "bridge/directory_tables.h"

enum directory_view {
    VIEW_REBUILDING, /* what is there says nothing */
    VIEW_PARTIAL,    /* somebody is silent, or may still come */
    VIEW_COMPLETE,
};

/* Gateways that hold a lease of an earlier directory have yet to be met. */
static bool is_waiting(const struct directory *directory, uint64_t age_ms)
{
    if (directory->expected_count == 0)
        return age_ms < DIRECTORY_GRACE_MS;
    return age_ms <= DIRECTORY_LEASE_MS &&
           directory->gateway_count < directory->expected_count;
}

static enum directory_view view_of(const struct directory *directory, uint64_t now_ms)
{
    uint64_t age_ms = now_ms - directory->began_ms;
    enum directory_view view = age_ms < DIRECTORY_GRACE_MS ? VIEW_PARTIAL : VIEW_COMPLETE;

    if (is_waiting(directory, age_ms))
        return VIEW_REBUILDING;
    for (const struct directory_gateway *gateway = directory->gateways; gateway;
         gateway = gateway->next) {
        if (!gateway->lease.is_settled)
            return VIEW_REBUILDING;
        uint64_t silent_ms = now_ms - gateway->heard_ms;
        /* Beyond its lease it has nobody, also before it is forgotten. */
        if (silent_ms >= DIRECTORY_SILENT_MS && silent_ms <= DIRECTORY_LEASE_MS)
            view = VIEW_PARTIAL;
    }
    return view;
}

bool directory_may_find(const struct directory *directory, uint64_t now_ms)
{
    if (directory->parking.is_kept && now_ms - directory->began_ms >= DIRECTORY_GRACE_MS)
        return true;
    return view_of(directory, now_ms) != VIEW_REBUILDING;
}

static struct directory_room *find_room(struct directory *directory, struct slice nsp,
                                        enum room_kind kind, struct slice name)
{
    char bytes[DIRECTORY_KEY_BYTES];

    if (kind == ROOM_ALL)
        name = (struct slice){0}; /* everybody is one room, whatever it was called */
    struct slice key = directory_room_key(bytes, nsp, kind, name);
    return key.len ? str_map_find(&directory->by_room, key) : NULL;
}

static struct directory_session *find_sid(struct directory *directory, struct slice nsp,
                                          struct slice sid)
{
    struct directory_session *session = str_map_find(&directory->by_sid, sid);

    return session && session->gateway && slice_equal(session->record.nsp, nsp) ? session
                                                                                : NULL;
}

/* True the first time a session is seen in this count. */
static bool mark(struct directory *directory, struct directory_session *session)
{
    if (session->stamp == directory->stamp)
        return false;
    session->stamp = directory->stamp;
    return true;
}

static uint64_t count_target(struct directory *directory, struct slice nsp,
                             const struct envelope_target *target)
{
    uint64_t count = 0;

    if (target->kind == ROOM_SOCKET) {
        struct directory_session *session = find_sid(directory, nsp, target->name);
        return session && mark(directory, session);
    }
    struct directory_room *room = find_room(directory, nsp, target->kind, target->name);
    for (size_t i = 0; room && i < room->count; i++)
        count += mark(directory, room->places[i].session);
    return count;
}

/* The size of everybody, less those of `except` who are there. */
static uint64_t count_all(struct directory *directory, struct slice nsp,
                          uint64_t excepted)
{
    struct directory_room *room = find_room(directory, nsp, ROOM_ALL, (struct slice){0});

    return room ? room->count - excepted : 0;
}

void directory_count(struct directory *directory, uint64_t now_ms, struct slice nsp,
                     const struct envelope_target *targets, size_t target_count,
                     const struct slice *except, size_t except_count,
                     struct engine_count *count)
{
    enum directory_view view = view_of(directory, now_ms);
    uint64_t excepted = 0;

    *count = (struct engine_count){.complete = view == VIEW_COMPLETE,
                                   .is_rebuilding = view == VIEW_REBUILDING};
    if (target_count == 1 && except_count == 0 && targets->kind != ROOM_SOCKET) {
        struct directory_room *room =
            find_room(directory, nsp, targets->kind, targets->name);
        count->connections = room ? room->count : 0;
        return;
    }

    /* Who is excepted is marked first and so never counted. */
    directory->stamp++;
    for (size_t i = 0; i < except_count; i++) {
        struct directory_session *session = find_sid(directory, nsp, except[i]);
        excepted += session && mark(directory, session);
    }
    for (size_t i = 0; i < target_count; i++) {
        if (targets[i].kind == ROOM_ALL) {
            count->connections = count_all(directory, nsp, excepted);
            return;
        }
    }
    for (size_t i = 0; i < target_count; i++)
        count->connections += count_target(directory, nsp, &targets[i]);
}

static struct engine_member member_of(const struct directory_session *session)
{
    return (struct engine_member){session->record.sid, session->record.user,
                                  session->gateway->id};
}

void directory_members(struct directory *directory, const struct room_key *key,
                       struct slice cursor, size_t limit, engine_page_fn *on_page,
                       void *ctx)
{
    enum {
        MAX_PAGE = 500
    };
    struct engine_member members[MAX_PAGE];
    size_t count = 0;
    uint64_t at = 0;

    if (cursor.len > 0 && !slice_to_u64(cursor, &at)) {
        on_page(ctx, ST_BAD_REQUEST, NULL, 0, (struct slice){0});
        return;
    }
    if (key->kind == ROOM_SOCKET) {
        struct directory_session *session = find_sid(directory, key->nsp, key->name);
        if (session)
            members[count++] = member_of(session);
        on_page(ctx, ST_OK, members, count, (struct slice){0});
        return;
    }

    struct directory_room *room = find_room(directory, key->nsp, key->kind, key->name);
    size_t size = room ? room->count : 0;
    for (; at < size && count < limit && count < MAX_PAGE; at++)
        members[count++] = member_of(room->places[at].session);

    char digits[20];
    struct buf next = {.ptr = digits, .cap = sizeof digits, .max = sizeof digits};
    if (at < size)
        buf_add_u64(&next, at);
    on_page(ctx, ST_OK, members, count, buf_slice(&next));
}

void directory_totals(struct directory *directory, uint64_t now_ms,
                      struct engine_totals *totals)
{
    enum directory_view view = view_of(directory, now_ms);

    *totals = (struct engine_totals){
        .sessions = str_map_count(&directory->by_sid) - directory->parked_count,
        .users = directory->users,
        .rooms = directory->rooms,
        .memberships = directory->memberships,
        .complete = view == VIEW_COMPLETE,
        .is_rebuilding = view == VIEW_REBUILDING,
    };
}

void directory_tell_user(struct directory *directory, const struct directory_room *room,
                         bool is_here)
{
    struct slice nsp, user;

    slice_cut(slice_from(room->key, 1), '\0', &nsp, &user); /* after the kind */
    directory->watcher->on_user(directory->watcher_ctx, nsp, user, is_here);
}

void directory_watch(struct directory *directory, const struct engine_watcher *watcher,
                     void *ctx)
{
    const struct directory_room *room;

    directory->watcher = watcher;
    directory->watcher_ctx = ctx;
    for (size_t cursor = 0;
         watcher && (room = str_map_next(&directory->by_room, &cursor));)
        if (room->kind == ROOM_USER)
            directory_tell_user(directory, room, true);
}

int64_t directory_last_seen(struct directory *directory, struct slice nsp,
                            struct slice user)
{
    if (!directory->watcher)
        return 0;
    return directory->watcher->last_seen(directory->watcher_ctx, nsp, user);
}

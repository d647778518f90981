/* Sessions: see the header. Rooms, gateways and questions: see directory_tables.h. */
#include "bridge/directory_tables.h"

#include <stdlib.h>
#include <string.h>

struct directory *directory_create(const struct hash_key *key, uint64_t now_ms)
{
    struct directory *directory = calloc(1, sizeof *directory);
    size_t sessions = LIMIT_DIRECTORY_SESSIONS + LIMIT_DIRECTORY_PARKED;

    if (!directory)
        return NULL;
    str_map_init(&directory->by_sid, key, sessions);
    str_map_init(&directory->by_pid, key, sessions + LIMIT_DIRECTORY_LAPSED);
    str_map_init(&directory->by_room, key, LIMIT_DIRECTORY_ROOMS);
    directory->parking = (struct directory_parking){
        DIRECTORY_PARKED_MS, LIMIT_DIRECTORY_PARKED, LIMIT_DIRECTORY_PARKED_BYTES, false};
    directory->last_parked = &directory->first_parked;
    directory->last_lapsed = &directory->first_lapsed;
    directory->last_unwritten = &directory->first_unwritten;
    directory->began_ms = now_ms;
    directory->last_meeting = siphash(key, SLICE("meeting"));
    list_init(&directory->past);
    return directory;
}

void directory_expect(struct directory *directory, size_t gateways)
{
    directory->expected_count = gateways;
}

void directory_set_parking(struct directory *directory,
                           const struct directory_parking *parking)
{
    directory->parking = *parking;
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

/* --- the three lists: of a gateway, of the parked, of the unwritten --- */

static void link_living(struct directory_gateway *gateway,
                        struct directory_session *session)
{
    session->gateway = gateway;
    session->next = gateway->sessions;
    session->link = &gateway->sessions;
    if (session->next)
        session->next->link = &session->next;
    gateway->sessions = session;
}

static void link_parked(struct directory *directory, struct directory_session *session,
                        uint64_t until_ms)
{
    session->gateway = NULL;
    session->stamp = until_ms;
    session->next = NULL;
    session->link = directory->last_parked;
    *directory->last_parked = session;
    directory->last_parked = &session->next;
    directory->parked_count++;
    directory->parked_bytes += session->bytes;
}

/* Of its gateway, of the parked, or of those whose time is over. */
static void unlink_session(struct directory *directory, struct directory_session *session)
{
    bool is_parked = !session->gateway;

    if (session->is_lapsed) {
        directory_unlink_lapsed(directory, session);
        return;
    }
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    else if (is_parked)
        directory->last_parked = session->link;
    if (is_parked) {
        directory->parked_count--;
        directory->parked_bytes -= session->bytes;
    }
}

static void link_unwritten(struct directory *directory, struct directory_session *session)
{
    if (session->unwritten_link || !directory->parking.is_kept)
        return;
    session->next_unwritten = NULL;
    session->unwritten_link = directory->last_unwritten;
    *directory->last_unwritten = session;
    directory->last_unwritten = &session->next_unwritten;
}

static void unlink_unwritten(struct directory *directory,
                             struct directory_session *session)
{
    struct directory_session *next = session->next_unwritten;

    if (!session->unwritten_link)
        return;
    *session->unwritten_link = next;
    *(next ? &next->unwritten_link : &directory->last_unwritten) =
        session->unwritten_link;
    session->unwritten_link = NULL;
}

/* --- one session --- */

/* Ends a session that is in neither a gateway's list nor that of the parked. */
static void erase(struct directory *directory, struct directory_session *session)
{
    directory_leave_all(directory, session);
    unlink_unwritten(directory, session);
    if (str_map_find(&directory->by_sid, session->record.sid) == session)
        str_map_remove(&directory->by_sid, session->record.sid);
    if (session->record.pid.len > 0 &&
        str_map_find(&directory->by_pid, session->record.pid) == session)
        str_map_remove(&directory->by_pid, session->record.pid);
    free(session);
}

void directory_remove(struct directory *directory, struct directory_session *session)
{
    unlink_session(directory, session);
    erase(directory, session);
}

static void end_session(struct directory *directory, struct directory_session *session)
{
    tell_gone(directory, session);
    directory_remove(directory, session);
}

/* What its gateway, or the parked, have from `session` on. */
static void remove_all(struct directory *directory, struct directory_session *session)
{
    for (struct directory_session *next; session; session = next) {
        next = session->next;
        directory_remove(directory, session);
    }
}

void directory_destroy(struct directory *directory)
{
    if (!directory)
        return;
    while (directory->gateways) {
        struct directory_gateway *gateway = directory->gateways;
        remove_all(directory, gateway->sessions);
        directory->gateways = gateway->next;
        directory_gateway_destroy(gateway);
    }
    directory_forget_past(directory);
    remove_all(directory, directory->first_parked);
    remove_all(directory, directory->first_lapsed);
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

struct directory_session *directory_copy(const struct engine_session *record,
                                         struct slice home)
{
    size_t rooms = record->room_count;
    size_t bytes = sizeof(struct directory_session) +
                   rooms * sizeof(struct engine_membership) +
                   (rooms + 2) * sizeof(struct directory_membership) + home.len +
                   record->sid.len + record->pid.len + record->nsp.len + record->user.len;
    struct directory_session *session;

    for (size_t i = 0; i < rooms; i++)
        bytes += record->rooms[i].name.len;
    session = calloc(1, bytes);
    if (!session)
        return NULL;
    session->bytes = bytes;
    session->names = (struct engine_membership *)(session + 1);
    session->memberships = (struct directory_membership *)(session->names + rooms);

    char *at = (char *)(session->memberships + rooms + 2);
    session->home = copy_text(&at, home);
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

static enum status add_ids(struct directory *directory, struct directory_session *session)
{
    enum status st = str_map_put(&directory->by_sid, session->record.sid, session);

    if (!st && session->record.pid.len > 0)
        st = str_map_put(&directory->by_pid, session->record.pid, session);
    return st;
}

/* --- puts --- */

static uint64_t term_of(const struct engine_session *record)
{
    return record->generation >> 32;
}

static bool has_other_sid(const struct directory_session *known,
                          const struct engine_session *record)
{
    return !slice_equal(known->record.sid, record->sid);
}

static bool is_of(const struct directory_session *session,
                  const struct directory_gateway *gateway)
{
    return slice_equal(session->home, gateway->id);
}

/* Whether `known` keeps the sid or pid that `record` has, too. */
static bool outranks(const struct directory_session *known,
                     const struct directory_gateway *gateway,
                     const struct engine_session *record)
{
    if (is_of(known, gateway) && !has_other_sid(known, record))
        return known->record.generation > record->generation;
    return term_of(&known->record) >= term_of(record);
}

static uint64_t proven_by(const struct directory_session *known,
                          const struct engine_session *record)
{
    bool is_same = known && known->record.epoch == record->epoch &&
                   slice_equal(known->record.pid, record->pid);

    return is_same && known->record.proven > record->proven ? known->record.proven
                                                            : record->proven;
}

/* Makes way for `record`, which `gateway` has put. */
static void displace(struct directory *directory, struct directory_session *known,
                     const struct directory_gateway *gateway,
                     const struct engine_session *record)
{
    bool is_other = has_other_sid(known, record);

    if (known->gateway && (known->gateway != gateway || is_other))
        directory_notify(known->gateway, known->record.sid, record->generation);
    if (is_other)
        tell_gone(directory, known);
    directory_remove(directory, known);
}

static enum status add_living(struct directory *directory,
                              struct directory_gateway *gateway,
                              struct directory_session *session)
{
    size_t living = str_map_count(&directory->by_sid) - directory->parked_count;
    enum status st =
        living < LIMIT_DIRECTORY_SESSIONS ? add_ids(directory, session) : ST_LIMIT;

    if (!st && !directory_join_all(directory, session))
        st = ST_NO_MEMORY;
    if (st) {
        tell_gone(directory, session);
        erase(directory, session);
        return st;
    }
    link_living(gateway, session);
    return ST_OK;
}

/* Who has the pid; what is remembered of one that is over stands in nobody's way. */
static struct directory_session *find_heir(struct directory *directory, struct slice pid)
{
    struct directory_session *heir =
        pid.len > 0 ? str_map_find(&directory->by_pid, pid) : NULL;

    if (!heir || !heir->is_lapsed)
        return heir;
    directory_remove(directory, heir);
    return NULL;
}

enum status directory_put(struct directory *directory, struct directory_gateway *gateway,
                          const struct engine_session *record)
{
    struct directory_session *known = str_map_find(&directory->by_sid, record->sid);
    struct directory_session *heir = find_heir(directory, record->pid);

    if (known && outranks(known, gateway, record))
        return is_of(known, gateway) ? ST_OK : ST_CONFLICT;
    if (heir && heir != known && outranks(heir, gateway, record))
        return ST_CONFLICT;

    struct directory_session *session = directory_copy(record, gateway->id);
    if (!session)
        return ST_NO_MEMORY;
    session->record.proven = proven_by(known, &session->record);
    session->record.proven = proven_by(heir, &session->record);
    if (heir && heir != known)
        displace(directory, heir, gateway, record);
    if (known)
        displace(directory, known, gateway, record);
    return add_living(directory, gateway, session);
}

/* --- ends, and what may come back --- */

/* What a gateway may end, park or prove: its own, when it knows all that was written. */
static struct directory_session *find_own(struct directory *directory,
                                          const struct directory_gateway *gateway,
                                          struct slice sid, uint64_t generation)
{
    struct directory_session *known = str_map_find(&directory->by_sid, sid);

    return known && is_of(known, gateway) && known->record.generation <= generation
               ? known
               : NULL;
}

bool directory_drop(struct directory *directory, struct directory_gateway *gateway,
                    struct slice sid, uint64_t generation)
{
    struct directory_session *known = find_own(directory, gateway, sid, generation);

    if (known)
        directory_remove(directory, known);
    return known != NULL;
}

/* Those that were parked first make room. */
static void evict_parked(struct directory *directory)
{
    const struct directory_parking *parking = &directory->parking;

    while (directory->parked_count > parking->max ||
           directory->parked_bytes > parking->max_bytes) {
        directory->evicted_count++;
        end_session(directory, directory->first_parked);
    }
}

/* It may be gone after it. */
static void park(struct directory *directory, struct directory_session *session,
                 uint64_t now_ms)
{
    if (session->record.pid.len == 0 || directory->parking.window_ms == 0) {
        end_session(directory, session);
        return;
    }
    unlink_session(directory, session);
    directory_leave_all(directory, session);
    link_parked(directory, session, now_ms + directory->parking.window_ms);
    evict_parked(directory);
}

static void prove(struct directory_session *session, const struct position *proven)
{
    struct engine_session *record = &session->record;

    if (proven->epoch == record->epoch && proven->seq > record->proven)
        record->proven = proven->seq;
}

bool directory_park(struct directory *directory, struct directory_gateway *gateway,
                    struct slice sid, uint64_t generation, const struct position *proven,
                    uint64_t now_ms)
{
    struct directory_session *known = find_own(directory, gateway, sid, generation);

    if (!known)
        return false;
    known->record.generation = generation;
    prove(known, proven);
    unlink_unwritten(directory, known);
    park(directory, known, now_ms);
    return true;
}

void directory_park_all(struct directory *directory, struct directory_gateway *gateway,
                        uint64_t now_ms)
{
    struct directory_session *session = gateway->sessions;

    for (struct directory_session *next; session; session = next) {
        next = session->next;
        park(directory, session, now_ms);
    }
}

static void lapse(struct directory *directory, struct directory_session *session,
                  uint64_t now_ms)
{
    struct directory_session *remains =
        directory_remains(&session->record, session->home);

    end_session(directory, session);
    directory_remember(directory, remains, now_ms + directory->parking.window_ms);
}

void directory_expire_parked(struct directory *directory, uint64_t now_ms)
{
    struct directory_session *session = directory->first_parked;

    directory_expire_lapsed(directory, now_ms);
    for (int left = DIRECTORY_SLICE; left > 0 && session && session->stamp <= now_ms;
         left--) {
        struct directory_session *next = session->next;
        lapse(directory, session, now_ms);
        session = next;
    }
}

void directory_prove(struct directory *directory, const struct directory_gateway *gateway,
                     struct slice sid, const struct position *proven)
{
    struct directory_session *known = find_own(directory, gateway, sid, UINT64_MAX);

    if (!known)
        return;
    uint64_t before = known->record.proven;
    prove(known, proven);
    if (known->record.proven > before)
        link_unwritten(directory, known);
}

/* --- what is kept --- */

bool directory_read(struct directory *directory, struct slice sid,
                    struct directory_kept *kept)
{
    const struct directory_session *session = str_map_find(&directory->by_sid, sid);

    if (session)
        *kept =
            (struct directory_kept){session->record, session->home, !session->gateway};
    return session != NULL;
}

size_t directory_unwritten(struct directory *directory, size_t max,
                           directory_gone_fn *visit, void *ctx)
{
    size_t count = 0;

    for (; directory->first_unwritten && count < max; count++) {
        struct directory_session *session = directory->first_unwritten;
        unlink_unwritten(directory, session);
        visit(ctx, session->record.sid);
    }
    return count;
}

void directory_unwrite(struct directory *directory)
{
    struct directory_session *session;

    for (size_t cursor = 0; (session = str_map_next(&directory->by_sid, &cursor));)
        if (session->record.pid.len > 0)
            link_unwritten(directory, session);
}

bool directory_restore(struct directory *directory, const struct directory_kept *kept,
                       uint64_t age_ms, uint64_t now_ms)
{
    const struct engine_session *record = &kept->session;
    uint64_t window_ms = directory->parking.window_ms;

    /* Nobody knows since when a session is gone that lived when this process began. */
    uint64_t parked_ms = kept->is_parked ? age_ms : 0;
    if (record->pid.len == 0)
        return false;
    if (parked_ms >= window_ms) {
        if (parked_ms < 2 * window_ms)
            directory_remember(directory, directory_remains(record, kept->gateway),
                               now_ms + 2 * window_ms - parked_ms);
        return false;
    }
    struct directory_session *known = str_map_find(&directory->by_sid, record->sid);
    struct directory_session *heir = find_heir(directory, record->pid);
    if ((known && known->record.generation >= record->generation) ||
        (heir && heir->record.generation >= record->generation))
        return false;
    struct directory_session *session = directory_copy(record, kept->gateway);
    if (!session)
        return false;
    if (heir && heir != known)
        directory_remove(directory, heir);
    if (known)
        directory_remove(directory, known);
    if (add_ids(directory, session)) {
        erase(directory, session);
        return false;
    }
    link_parked(directory, session, now_ms + window_ms - parked_ms);
    evict_parked(directory);
    return true;
}

bool directory_find(struct directory *directory, struct slice pid, uint64_t now_ms,
                    struct engine_session *session, struct slice *gateway)
{
    const struct directory_session *known = str_map_find(&directory->by_pid, pid);

    if (!known || known->is_lapsed || (!known->gateway && known->stamp <= now_ms))
        return false;
    *session = known->record;
    *gateway = known->gateway ? known->gateway->id : (struct slice){0};
    return true;
}

bool directory_find_lapsed(struct directory *directory, struct slice pid, uint64_t now_ms,
                           struct engine_session *session)
{
    const struct directory_session *known = str_map_find(&directory->by_pid, pid);

    if (!known || known->gateway || (!known->is_lapsed && known->stamp > now_ms))
        return false;
    *session = known->record;
    session->room_count = 0;
    return true;
}

void directory_parked(const struct directory *directory, struct directory_parked *parked)
{
    *parked =
        (struct directory_parked){directory->parked_count, directory->evicted_count};
}

/* Sessions that somebody comes back to: see session.h. */
#include "client-gw/session_op.h"

#include "client-gw/catching.h"

#include <string.h>

enum {
    WRITES = 4096, /* of a session, before its client is back at this gateway */
    RETURNS = 1 << 19,
};

/* In the rooms of the record since when it joined them; in those that everybody is in by
 * themselves since before all that is owed to it. */
static enum status enter(struct session *session, const struct session_return *found)
{
    const struct engine_session *record = found->record;
    enum status st = session_enter_first(session, NULL, 0);

    for (uint16_t i = 0; i < session->membership_count; i++)
        session->memberships[i].joined_seq = 0;
    for (size_t i = 0; !st && i < record->room_count; i++) {
        st = session_enter(session, ROOM_NAMED, record->rooms[i].name);
        if (!st)
            session->memberships[session->membership_count - 1].joined_seq =
                record->rooms[i].joined_seq;
    }
    for (size_t i = 0; !st && i < found->room_count; i++)
        if (!session_is_in(session, found->rooms[i]) && session_has_place(session))
            st = session_enter(session, ROOM_NAMED, found->rooms[i]);
    return st;
}

enum status session_return(struct session *session, struct claims *claims,
                           const struct session_return *found)
{
    struct session_set *set = session->set;
    const struct engine_session *record = found->record;

    claims_drop(session->claims);
    session->claims = claims;
    memcpy(session->sid, record->sid.ptr, LIMIT_SIO_SID_BYTES);
    memcpy(session->pid, record->pid.ptr, LIMIT_PID_BYTES);
    /* Later writes of ours are higher, also where the record was found before them. */
    session->generation = engine_next_term(record->generation) +
                          (uint64_t)(set->returns++ % RETURNS) * WRITES;
    session->reach.proven = found->from;
    session->state = SESSION_OPENING;
    session->is_returning = true;
    enum status st = str_map_put(&set->by_sid, slice_of(session->sid), session);
    return st ? st : enter(session, found);
}

enum status session_resume(struct session *session, session_done_fn *on_done, void *ctx)
{
    metrics_add(session->set->config.metrics, METRIC_SESSIONS, 1);
    session->is_counted = true;
    return session_op_start(session, SESSION_OP_OPEN, (struct slice){0}, on_done, ctx);
}

void session_undo(struct session *session)
{
    struct session_set *set = session->set;

    catching_stop(session);
    session_leave_all(session);
    session_drop_held(session);
    if (str_map_find(&set->by_sid, slice_of(session->sid)) == session)
        str_map_remove(&set->by_sid, slice_of(session->sid));
    session->state = SESSION_WAITING;
    session->is_returning = false;
    session->generation = 1;
    session_make_ids(session);
}

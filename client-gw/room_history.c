/*
 * What who joins a room gets of its past: see catchup.h. One at a time for a session, in
 * the order of the joins; each room that it is in waits once at most.
 */
#include "client-gw/catchup_parts.h"

#include "client-gw/connection.h"
#include "client-gw/session_op.h"
#include "proto/room_rules.h"

#include <stdlib.h>
#include <string.h>

/* It came to the session through another of its rooms. */
static bool was_given(const struct session *session, uint64_t seq,
                      const struct envelope *envelope)
{
    for (uint16_t i = 0; i < session->membership_count; i++) {
        const struct membership *membership = &session->memberships[i];
        for (size_t n = 0; n < envelope->target_count; n++)
            if (membership->joined_seq < seq &&
                room_kind(membership->room) == envelope->targets[n].kind &&
                slice_equal(room_name(membership->room), envelope->targets[n].name))
                return true;
    }
    return false;
}

static bool wants(void *ctx, uint64_t seq, const struct envelope *envelope)
{
    struct catchup *catchup = ctx;

    if (seq > catchup->live_after)
        return true;
    if (!(envelope->flags & ENVELOPE_HISTORY) || !catchup_has(catchup, seq, envelope) ||
        was_given(catchup->session, seq, envelope))
        return false;
    catchup->count++;
    return true;
}

/* The next one begins when the session is live again: catchup_go_on. */
static void given(void *ctx, enum status status)
{
    catchup_account(ctx, status);
    catchup_destroy(ctx);
}

/* Nothing goes out, and nothing is missed, until the log has answered. */
static void held(void *ctx, enum status status)
{
    (void)ctx;
    (void)status;
}

static void on_past(void *ctx, enum status status, const struct engine_past_range *ranges,
                    uint32_t events)
{
    struct catchup *catchup = ctx;
    struct session *session = catchup->session;
    const struct catching_wish reading = {
        .from = catchup->live_after,
        .is_live = true,
        .wants = wants,
        .on_done = given,
        .ctx = catchup,
    };

    (void)events;
    catching_stop(session);
    if (!status)
        catchup_keep(catchup, ranges);
    if (session->state != SESSION_OPEN) {
        catchup_destroy(catchup);
    } else if (catchup_read(catchup, session, &reading)) {
        catchup_destroy(catchup);
        connection_close(session->connection, CLOSE_UNAVAILABLE);
    }
    session_drop(session);
}

/* False: it has left the room, or there is no memory. */
static bool begin(struct catchup *catchup, struct session *session)
{
    struct engine *engine = catchup->services->engine;
    const struct room_key room = {session->voice->nsp, ROOM_NAMED,
                                  slice_of(catchup->room)};
    struct catching_wish hold = {.on_proven = held};

    engine->ops->head(engine, &catchup->through);
    hold.from = catchup->live_after = catchup->through.seq;
    if (!catchup_gather(catchup, session, &room) || catchup->past_count == 0 ||
        catching_begin(catchup->services->catching, session, &hold))
        return false;
    catchup_ask(catchup, session, on_past);
    return true;
}

void catchup_go_on(struct session *session)
{
    while (session->histories && session->state == SESSION_OPEN && !session->catching) {
        struct catchup *catchup = session->histories;
        session->histories = catchup->next;
        if (!begin(catchup, session))
            catchup_destroy(catchup);
    }
}

/* Where it waits for the room's history, or the end of what waits. */
static struct catchup **waiting_for(struct session *session, struct slice room)
{
    struct catchup **link = &session->histories;

    while (*link && !slice_equal(slice_of((*link)->room), room))
        link = &(*link)->next;
    return link;
}

void catchup_left(struct session *session, struct slice room)
{
    struct catchup **link = waiting_for(session, room);
    struct catchup *waiting = *link;

    if (!waiting)
        return;
    *link = waiting->next;
    catchup_destroy(waiting);
}

void catchup_joined(struct client_services *services, struct session *session,
                    struct slice room)
{
    struct catchup **link = waiting_for(session, room);
    struct catchup *catchup;

    if (*link || !session_is_in(session, room) ||
        !room_rules_give_on_join(services->system->rooms))
        return;
    catchup = calloc(1, sizeof *catchup + room.len + 1);
    if (!catchup)
        return; /* as if the room had no history */
    catchup->services = services;
    catchup->wish = CATCHUP_UNASKED;
    memcpy(catchup->room, room.ptr, room.len);
    *link = catchup;
    catchup_go_on(session);
}

/*
 * Catch-up by time (`catchup`, `rooms[].history`): a client that is not recovered says
 * when its last event was, and gets what its rooms kept since, before any live event;
 * who joins a room gets its history where the file says so. The log tells where that past
 * begins (engine_ops.past), and the session reads on from there (catching.h). What is not
 * given is told.
 *
 * Until it has all of it, a session cannot be come back to: its client asks again. Loop
 * thread.
 */
#ifndef CLIENT_GW_CATCHUP_H
#define CLIENT_GW_CATCHUP_H

#include "client-gw/services.h"

struct catchup;

/* Before session_identify or recovery_begin, whose on_done is wrapped. */
struct catchup_wrap {
    session_done_fn *on_done;
    void *ctx;
};
/*
 * Whether `session`, that is about to be somebody by these claims, is to get something of
 * the past unless it is recovered: then `wrap` is exchanged. False: out of memory, and
 * nothing has changed.
 */
bool catchup_expect(struct client_services *services, struct session *session,
                    const struct claims *claims, struct catchup_wrap *wrap);
/* It will not be identified. Also for a session that ends, and where nothing is expected.
 */
void catchup_forget(struct session *session);

/* It has joined the room, and was told: the room's history follows, where it has one. */
void catchup_joined(struct client_services *services, struct session *session,
                    struct slice room);
/* It is about to leave the room: no history of it waits any more. */
void catchup_left(struct session *session, struct slice room);
/* The session is live (again): what could not be begun before. */
void catchup_go_on(struct session *session);

#endif

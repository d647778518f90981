/*
 * A client that comes back: whose session it was is asked of the directory, that nothing
 * it missed is gone is proven by the log, and its session goes on here under its old ids,
 * wherever it lived before. Where that cannot be proven it gets a new session and is told
 * why; no sooner than this gateway is where the client says that it was. Loop thread.
 *
 *     find ─▶ may it, and may it still be there ─▶ wait until this gateway is as far
 *          ─▶ join, from now on events are held ─▶ first page of the log, which proves
 *          ─▶ tell the directory ─▶ tell the client ─▶ what it missed ─▶ live
 * (catching.h)
 */
#ifndef CLIENT_GW_RECOVERY_H
#define CLIENT_GW_RECOVERY_H

#include "client-gw/session.h"
#include "proto/recovery_proof.h"

#include <uv.h>

struct recovery;

/* All is kept. */
struct recovery_config {
    uv_loop_t *loop;
    struct engine *engine;
    struct session_set *sessions;
    struct catching_set *catching;
    struct metrics *metrics;
};

/* Gives what clients come back by (recovery_destroy), or NULL. */
struct recovery *recovery_create(const struct recovery_config *config);
/* No session is left. Accepts NULL. */
void recovery_destroy(struct recovery *recovery);

/* What a client brings; all borrowed. */
struct recovery_claim {
    struct slice pid;      /* secret; empty: it does not come back */
    struct slice position; /* as printed; empty: it has none */
    bool keeps_position;   /* the client has it of whatever session it heard last in */
};

/*
 * As session_identify, for who claims to come back to `session`, which is nobody yet and
 * whose voice lets its clients return: `rooms` are those that a new session would be put
 * into. on_done runs once, with ST_OK also when there is a new session: the session's
 * `is_recovered` and `return_reason` say. It runs before anything that was missed is
 * sent. ST_UNAVAILABLE: nobody can tell at the moment; it is to come again.
 */
enum status recovery_begin(struct recovery *recovery, struct session *session,
                           const struct recovery_claim *claim, struct claims *claims,
                           const struct slice *rooms, size_t room_count,
                           session_done_fn *on_done, void *ctx);

#endif

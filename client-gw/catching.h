/*
 * What a session gets from the log before it gets live events: page after page as its
 * socket drains, while live events wait behind by reference. When too many wait they are
 * let go, and the log is read on up to there: the numbers of the log say what is next, so
 * nothing is missing and nothing comes twice. Loop thread.
 *
 * Bounded: a session holds half an outbox of a page, its outbox and its held events; a
 * gateway asks for a few pages at a time, in turn.
 */
#ifndef CLIENT_GW_CATCHING_H
#define CLIENT_GW_CATCHING_H

#include "bridge/engine.h"
#include "proto/envelope.h"

struct catching;
struct catching_set;
struct frame;
struct session;

/* Gives what catches up (catching_set_destroy), or NULL. Keeps all. */
struct catching_set *catching_set_create(uv_loop_t *loop, struct engine *engine,
                                         struct metrics *metrics);
/* No session is left. Accepts NULL. */
void catching_set_destroy(struct catching_set *set);

/* One of its rooms, of which it is to get more than since it joined. */
struct catching_past {
    struct room_key room;
    uint64_t base; /* what comes after it */
};

/*
 * What is to be read: the events of the session's rooms after `from`, and after it joined
 * each. Borrows all but `ctx`.
 */
struct catching_wish {
    uint64_t from; /* everything for it up to here has been sent */
    bool is_live;  /* and its client is told so: an older event is not where it is */
    const struct catching_past *past;
    size_t past_count;
    /* More to say of an event; NULL: all are wanted, and counted as missed by who came
     * back. */
    bool (*wants)(void *ctx, uint64_t seq, const struct envelope *envelope);
    /*
     * Once, also at once: ST_OK when the first page is there and nothing was gone when it
     * was made. Nothing is sent before catching_go. ST_NOT_FOUND: something is gone;
     * ST_CONFLICT: the log has another epoch; ST_FORBIDDEN: the session was ended by an
     * administrator meanwhile; ST_UNAVAILABLE; ST_DRAINING: it was stopped. After these
     * the caller stops it. NULL: nobody waits for it, sending begins at once.
     */
    void (*on_proven)(void *ctx, enum status status);
    /*
     * Once, at the end, unless on_proven has failed. ST_OK: all is sent up to where live
     * events begin, and what is sent now stands between both. Else it was stopped; when
     * something was gone from the log, its client is closed, and comes back. May be NULL.
     */
    void (*on_done)(void *ctx, enum status status);
    void *ctx;
};

/*
 * From now on events for the session are held (session->catching), and it reads from the
 * log up to what the gateway has applied by now. ST_NO_MEMORY: nothing has changed, and
 * nothing of the wish will be called. One at a time for a session: ST_CONFLICT.
 */
enum status catching_begin(struct catching_set *set, struct session *session,
                           const struct catching_wish *wish);
/* The client has been told what had to be told before: sends. */
void catching_go(struct catching *catching);
/* The session ends, or begins anew: nothing more is read or sent. Nothing to do where it
 * was not catching up. */
void catching_stop(struct session *session);

/*
 * The session leaves a room: neither a page that is under way nor what is held speaks of
 * it any more; both are read anew without it. Nothing to do where it is not catching up.
 */
void catching_left(struct session *session);

/* A live event for a session that is catching up. Shares `frame`. */
enum status catching_hold(struct catching *catching, struct frame *frame);
/* The outbox of its connection may have room again. */
void catching_drained(struct catching *catching);
/* Everything for it up to this seq is on its way to the client. */
uint64_t catching_position(const struct catching *catching);

#endif

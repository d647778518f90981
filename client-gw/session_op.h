/*
 * The part of a session that talks to the directory: each change is one operation,
 * written whole, answered once. For session*.c, and for what sends to one before it is
 * live (catching.c). Loop thread.
 */
#ifndef CLIENT_GW_SESSION_OP_H
#define CLIENT_GW_SESSION_OP_H

#include "bridge/str_map.h"
#include "client-gw/session.h"

struct session_set {
    struct session_set_config config;
    struct system *system; /* in force; shared */
    struct voice_set *voices;
    struct buf patterns; /* where rules are spelled out */
    struct str_map by_sid;
    uint32_t returns;                  /* so many clients came back to here */
    struct engine_membership *scratch; /* LIMIT_SESSION_ROOMS, for one write */
};

enum session_op_kind {
    SESSION_OP_OPEN,
    SESSION_OP_JOIN,
    SESSION_OP_LEAVE,
    SESSION_OP_REFRESH,
};

/*
 * Writes the session as it is now; what the answer means depends on `kind`. Copies
 * `room`. ST_OK: on_done (may be NULL) will run once.
 */
enum status session_op_start(struct session *session, enum session_op_kind kind,
                             struct slice room, session_done_fn *on_done, void *ctx);

/* The next write of the session, nobody waits for it. */
void session_put(struct session *session);

/* Enters or leaves here, without telling the directory. */
enum status session_enter(struct session *session, enum room_kind kind,
                          struct slice name);
enum status session_exit(struct session *session, struct slice room);
/* Whether it may be in one more named room. */
bool session_has_place(const struct session *session);
bool session_is_in(const struct session *session, struct slice room);
/* The generation that last asked for the membership (its lower half); 0: not in the room.
 */
uint32_t session_asked_at(const struct session *session, struct slice room);
void session_set_asked_at(struct session *session, struct slice room, uint32_t asked_at);
/* Whether its client may come back to it by its pid: not while it gets a past that a
 * return would not go on with. */
bool session_is_findable(const struct session *session);
void session_release_held(struct session *session);
/* Live from now on: what was held goes out, and the rest as it comes. */
void session_go(struct session *session);
/* What waits behind `held` grows, up to its ceiling. */
enum status session_hold(struct session *session, struct frame *frame);
/* It is let go: nobody gets it any more, or the log is read from before it. */
void session_drop_held(struct session *session);
void session_forget_held(struct session *session);

/* What everybody is in, and `rooms`, as far as it is not in them. */
enum status session_enter_first(struct session *session, const struct slice *rooms,
                                size_t room_count);
void session_leave_all(struct session *session);
void session_make_ids(struct session *session);

#endif

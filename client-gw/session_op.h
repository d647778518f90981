/*
 * The part of a session that talks to the directory: each change is one operation,
 * written whole, answered once. Only session.c and session_op.c include this. Loop
 * thread.
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
void session_release_held(struct session *session);

#endif

/*
 * A session: one client in one namespace: who it is, which rooms it is in, how the
 * directory knows it. A connection carries one per namespace. What is told to a client
 * ("connected", "joined") is in the directory before. Loop thread.
 *
 * A session that is somebody opens in three steps: it joins its rooms here (from now on
 * events for it are held back), the directory is told, the client is told and gets what
 * was held. One that a client comes back to (client-gw/recovery) also gets what it
 * missed, before what was held.
 */
#ifndef CLIENT_GW_SESSION_H
#define CLIENT_GW_SESSION_H

#include "bridge/engine.h"
#include "client-gw/acks.h"
#include "client-gw/frame_queue.h"
#include "client-gw/room.h"
#include "client-gw/voice.h"
#include "proto/claims.h"
#include "proto/recovery_proof.h"
#include "proto/system.h"
#include "proto/token_bucket.h"

struct catching;
struct catchup;
struct connection;
struct session_set;

enum session_state {
    SESSION_WAITING, /* nobody yet: in no room, unknown to the directory */
    SESSION_OPENING,
    SESSION_OPEN,
    SESSION_CLOSED, /* only somebody's reference keeps it */
};

/* What becomes of a session that a connection loses. */
enum session_fate {
    SESSION_OVER,   /* it was ended: nobody comes back to it */
    SESSION_PARKED, /* its client is gone, and may come back */
    SESSION_MOVED,  /* it lives elsewhere by now */
};

/* How far the end of its token has come. */
enum session_end {
    SESSION_END_AHEAD,
    SESSION_END_WARNED,
    SESSION_END_TOLD,
};

struct session {
    struct session_set *set;
    struct connection *connection; /* NULL once closed */
    struct session *next;          /* on the same connection */
    struct voice *voice;           /* its dialect and namespace */
    struct claims *claims;
    uint64_t
        due_ms; /* it must have said who it is, or its token is looked at; 0: never */
    int64_t last_seen_ms; /* its user, before it, where a greeting asks; 0: unknown */
    uint64_t generation;
    uint64_t stamp; /* of the last event with several targets that it got */
    struct recovery_reach reach;
    struct catching *catching; /* what it gets from the log first; NULL: nothing */
    struct catchup *catchup;   /* what it asked for of the past; NULL: nothing (more) */
    struct catchup *histories; /* of rooms that it joined, that wait; NULL: none */
    struct membership *memberships;
    struct frame_queue *held;   /* while opening; NULL: nothing */
    char *auth;                 /* its CONNECT's payload, where a table asks; or NULL */
    struct token_bucket *rates; /* what it used of rates per socket; NULL: nothing yet */
    enum session_state state;
    enum session_end end;
    unsigned refs;
    int direct_fd; /* as the connection said last; -1: write nothing directly */
    uint16_t membership_count, membership_cap;
    struct acks acks;      /* that it owes */
    uint8_t beats_due;     /* a bit for each heartbeat that an event answers: not yet */
    uint8_t rate_count;    /* of `rates` */
    bool is_answered;      /* the client was told that it is connected */
    bool is_counted;       /* the directory and the gauges know it */
    bool is_unwritten;     /* the directory did not say that it has the last write */
    bool is_recovered;     /* its client came back, and misses nothing */
    bool is_returning;     /* its ids are those of the session that it comes back to */
    uint8_t return_reason; /* enum recovery_reason: why it was not, though it came back */
    char sid[LIMIT_SIO_SID_BYTES + 1]; /* public */
    char pid[LIMIT_PID_BYTES + 1];     /* secret */
};

struct session_limits {
    struct frame_limits held;
    size_t sessions;
    size_t rooms_per_session; /* at most LIMIT_SESSION_ROOMS */
    size_t sessions_per_user; /* 0: no limit */
};

struct session_set_config {
    struct engine *engine;
    struct room_set *rooms;
    struct metrics *metrics;
    struct session_limits limits;
};

struct session_set *session_set_create(const struct session_set_config *config);
void session_set_destroy(struct session_set *set);

/* Other ceilings from now on: who is beyond them by now stays. */
void session_set_limit(struct session_set *set, const struct session_limits *limits);
/* Shares `system`, the tables in force, until the next one. */
void session_set_use(struct session_set *set, struct system *system);
/* As access_is_hidden, with them. */
bool session_set_hides(const struct session_set *set, enum room_kind kind,
                       struct slice name);

/* Writes every session to the directory again, also those that are opening; of a client
 * on its way back once its return is proven. */
void session_set_put_all(struct session_set *set);
/* By public id; NULL when it is not here. */
struct session *session_find(const struct session_set *set, struct slice sid);
/* The only member of the room that every socket is for itself. */
struct room_member session_as_member(struct session *session);

/* Runs once, with ST_OK or why not: ST_NOT_FOUND when the session was closed in between.
 */
typedef void session_done_fn(struct session *session, enum status status, void *ctx);

/*
 * A session on `connection` that is nobody yet (SESSION_WAITING) and goes with it, in the
 * namespace `nsp` that its client calls `name`, and that it may come back to or not.
 * Takes `claims`, of nobody; copies `auth`, which may be empty. NULL when out of memory.
 */
struct session *session_open(struct session_set *set, struct connection *connection,
                             struct slice nsp, struct slice name, bool is_recoverable,
                             struct claims *claims, struct slice auth);

/*
 * Makes it somebody: joins what everybody is in and the `rooms` (named, already
 * authorised), then tells the directory; `on_done` follows, and with ST_OK the held
 * events go out right after it. Takes `claims`. On a ceiling or no memory on_done does
 * not run, and all that is left is to close it.
 */
enum status session_identify(struct session *session, struct claims *claims,
                             const struct slice *rooms, size_t room_count,
                             session_done_fn *on_done, void *ctx);

/* A session that somebody comes back to, as it was found. All borrowed. */
struct session_return {
    const struct engine_session *record;
    uint64_t from;             /* everything for it up to here has reached the client */
    const struct slice *rooms; /* that it is put into beside those of the record */
    size_t room_count;
};

/*
 * Makes a session that is nobody yet the one of the record: under its ids, in its rooms.
 * Events are held from now on, and nobody is told: session_resume or session_undo
 * follows, also after a failure. Takes `claims`.
 */
enum status session_return(struct session *session, struct claims *claims,
                           const struct session_return *found);
/* Tells the directory; as session_identify from here on. */
enum status session_resume(struct session *session, session_done_fn *on_done, void *ctx);
/* It is nobody again, under ids of its own. */
void session_undo(struct session *session);

/* Whether a client may be answered in it. */
bool session_is_answered(const struct session *session);

/* Leaves all rooms and the directory, or waits there for its client; `reason` is for the
 * log. Idempotent. */
void session_close(struct session *session, const char *reason, enum session_fate fate);

struct session *session_share(struct session *session);
void session_drop(struct session *session);

/*
 * Joins a named room that access has granted. ST_OK: on_done will run;
 * joining twice is joining once. ST_LIMIT: rooms per socket. When the directory fails,
 * the session is not in the room.
 */
enum status session_join(struct session *session, struct slice room,
                         session_done_fn *on_done, void *ctx);
/* ST_NOT_FOUND when it was not in the room; on_done then does not run. On ST_NO_MEMORY it
 * has left, and on_done does not run. */
enum status session_leave(struct session *session, struct slice room,
                          session_done_fn *on_done, void *ctx);
/* Leaves every named room that the claims do not let it stay in, and joins `rooms`
 * (already authorised) as far as there is room for them. Takes `claims`. True: the
 * directory knows other rooms now; session_write, before anybody is told. */
bool session_refresh(struct session *session, struct claims *claims,
                     const struct slice *rooms, size_t room_count);
/* Tells the directory how the session is now; written again later if this fails. On
 * ST_NO_MEMORY on_done does not run. */
enum status session_write(struct session *session, session_done_fn *on_done, void *ctx);

/* Named rooms of the session that it may be told of: `names` has room for `max`; gives
 * how many there are. */
size_t session_rooms(const struct session *session, struct slice *names, size_t max);

/* Lends what it has used of one of `count` rates until the next call; NULL: out of
 * memory. */
struct token_bucket *session_rate(struct session *session, size_t index, size_t count);

/* Sends a frame of an event, or holds it back while opening. As connection_send. */
enum status session_send(struct session *session, struct frame *frame);

/* Whether a frame sent now would not have to stand in line. */
bool session_takes_now(const struct session *session);

/* Everything for it up to this seq is on its way to the client, or was never for it. */
uint64_t session_position(const struct session *session);
/* The same, printed: what goes with an event of our own, so that the client's idea of
 * where it is stays true. Empty where nobody comes back. */
struct slice session_offset(const struct session *session,
                            char text[LIMIT_POSITION_BYTES + 1]);

/*
 * The log began anew, or a part of it is lost, and its client knows: what the session
 * knew of positions ends, it has been in its rooms since `seq`.
 */
void session_rebase(struct session *session, uint64_t seq);

/* The connection's state has changed: its members may be written at `fd`, or not (-1). */
void session_set_direct(struct session *session, int fd);

/* The room that clients are told beside an event: the only target, unless hidden. */
struct slice session_set_told_room(const struct session_set *set,
                                   const struct envelope *envelope);

/* For room.c. */
struct membership *session_membership(struct session *session, uint16_t slot);

#endif

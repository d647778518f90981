/*
 * Inside catch-up by time: what a client that connects (catchup.c) and one that joins
 * (room_history.c) have in common. Nobody else includes this.
 */
#ifndef CLIENT_GW_CATCHUP_PARTS_H
#define CLIENT_GW_CATCHUP_PARTS_H

#include "client-gw/catching.h"
#include "client-gw/catchup.h"
#include "proto/catchup_rules.h"

/* One of its rooms: what is asked of it, and where that begins. */
struct past {
    struct engine_past_room wish; /* its name lies behind the array */
    struct engine_past_range range;
};

struct catchup {
    struct catchup *next; /* of the session: histories that wait */
    struct client_services *services;
    struct session *session; /* a reference while the log is asked */
    session_done_fn *on_done;
    void *ctx;
    enum catchup_wish wish;
    int64_t since_ms;
    struct position through; /* when it joined: nothing later is the past */
    uint64_t live_after;     /* what came later is owed to it anyway */
    struct past *past;
    size_t past_count;
    bool is_cut;    /* of rooms that are not among `past`, too */
    uint64_t count; /* events given */
    char room[];    /* of a history: its name, terminated */
};
/* Counts it. `status`: whether its client was given all that there was to give. */
void catchup_account(const struct catchup *catchup, enum status status);
/* Accepts NULL. */
void catchup_destroy(struct catchup *catchup);

/*
 * What is asked of the session's rooms, or of the named one only, and `through`; none may
 * be asked. The names are copied: a room may be left, and be gone, while the log is
 * asked. False: out of memory.
 */
bool catchup_gather(struct catchup *catchup, const struct session *session,
                    const struct room_key *only);
/* Asks the log; `told` runs once with the catchup, whose session is shared until then. */
void catchup_ask(struct catchup *catchup, struct session *session, engine_past_fn *told);
void catchup_keep(struct catchup *catchup, const struct engine_past_range *ranges);
/* Begins to read as `reading` says, and from where each room's past begins. */
enum status catchup_read(struct catchup *catchup, struct session *session,
                         const struct catching_wish *reading);
/* Whether the event is in the range of one of its rooms. */
bool catchup_has(const struct catchup *catchup, uint64_t seq,
                 const struct envelope *envelope);

#endif

/*
 * Commands: what a client may ask of us by an event. Which there are is the rules' to say
 * (proto/command_rules); here is what each action does: one handle_<action>.c, the same
 * for every dialect. Loop thread.
 */
#ifndef CLIENT_GW_COMMAND_H
#define CLIENT_GW_COMMAND_H

#include "client-gw/dialect.h"
#include "client-gw/services.h"
#include "proto/command_rules.h"

/* One call of a command. All lent for the call. */
struct command_call {
    struct client_services *services;
    struct session *session; /* open */
    struct slice
        args; /* raw JSON values, comma-separated, without brackets; may be empty */
    struct ack ack;
    struct slice name;               /* of the event */
    const struct command_rule *rule; /* command_run sets it; NULL: no command */
};

/* Runs the command called `name`; what is none is treated as `client_events` says. */
void command_run(const struct command_call *asked, struct slice name);

/* What the call's templates may draw from; lent until the next call. */
void command_values(const struct command_call *call, struct template_values *values);

/* --- a handler's steps: read, make ready, do, succeed --- */

/* The room that the command is about, as it is spelled and as a key. */
struct command_room {
    struct room_key key; /* its name points into `text` */
    size_t len;
    char text[LIMIT_ROOM_BYTES];
};
/* False: there is none, and the call has been answered. */
bool command_room(const struct command_call *call, struct command_room *room);

/* Renders what the command sends; lent until the next rendering. False: the same. */
bool command_output(const struct command_call *call, struct slice *values);

/*
 * Renders the answer of a success before anything is done, since what cannot be told
 * fails. `room` and `result` (raw JSON) may be empty. False: the same.
 */
bool command_ready(const struct command_call *call, struct slice room,
                   struct slice result);
/* Sends what was made ready. */
void command_succeed(const struct command_call *call);

enum {
    COMMAND_CONTRACT_BYTES = CONTRACT_POINTER_BYTES + CONTRACT_DETAIL_BYTES + 8
};
/* The first thing that is wrong, as a sentence for the client's developer. */
void command_contract_message(const struct contract_report *report,
                              char message[COMMAND_CONTRACT_BYTES]);
/* Whether values that go by the name of an event of the catalog keep its contract. False:
 * they do not, and the call has been answered. */
bool command_keeps_contract(const struct command_call *call, struct slice event,
                            struct slice values);

/* An ack when one is wanted, else the error event. */
void command_fail(const struct command_call *call, enum status status,
                  const char *message);

/* --- what has to wait: a copy of the ready answer that outlives the call --- */

struct command_wait;
/* NULL: out of memory. */
struct command_wait *command_wait_create(const struct command_call *call);
void command_wait_destroy(struct command_wait *wait);
/* A session_done_fn: answers the call, and frees the wait. */
void command_wait_done(struct session *session, enum status status, void *ctx);
/* An engine_kept_fn for a wait that holds its session (command_wait_hold). */
void command_wait_hold(struct command_wait *wait, struct session *session);
void command_wait_kept(void *ctx, enum status status, const struct position *position);

void handle_join(const struct command_call *call);
void handle_leave(const struct command_call *call);
void handle_rooms(const struct command_call *call);
void handle_whoami(const struct command_call *call);
void handle_refresh(const struct command_call *call);
void handle_reply(const struct command_call *call);
void handle_ack(const struct command_call *call);
void handle_relay(const struct command_call *call);
void handle_close(const struct command_call *call);

#endif

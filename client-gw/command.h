/*
 * Commands: what a client may ask of us by an event. One row of a table and one
 * handle_<name>.c each; the same for every dialect. Loop thread.
 */
#ifndef CLIENT_GW_COMMAND_H
#define CLIENT_GW_COMMAND_H

#include "client-gw/dialect.h"
#include "client-gw/services.h"

/* One call of a command. All lent for the call. */
struct command_call {
    struct client_services *services;
    struct session *session; /* open */
    struct slice
        args; /* raw JSON values, comma-separated, without brackets; may be empty */
    struct ack ack;
};

/* Runs the command called `name`, or answers E_UNKNOWN_EVENT when an ack is wanted. */
void command_run(const struct command_call *call, struct slice name);

/* The answers: an ack when one is wanted; a failure that nobody waits for is emitted as
 * `error`. */
void command_succeed(const struct command_call *call, struct slice room);
void command_fail(const struct command_call *call, enum status status,
                  const char *message);

/*
 * The first argument's member `key`, a string; lent until the next call. False when there
 * is none, or it is no string; the call has then been answered.
 */
bool command_text_arg(const struct command_call *call, const char *key,
                      struct slice *text);

/* What has to wait for the directory: a copy of the call's ack that outlives it. */
struct command_wait {
    struct client_services *services;
    struct ack ack;
    size_t room_len;
    char room[LIMIT_ROOM_BYTES];
};
struct command_wait *command_wait_create(const struct command_call *call,
                                         struct slice room);
/* A session_done_fn: answers the call, and frees the wait. */
void command_wait_done(struct session *session, enum status status, void *ctx);

void handle_subscribe(const struct command_call *call);
void handle_unsubscribe(const struct command_call *call);
void handle_refresh(const struct command_call *call);

#endif

/*
 * Welcoming a client (`auth`, `connect`): into which rooms it is put, the event by which
 * nobody becomes somebody, and the greetings. Loop thread.
 */
#ifndef CLIENT_GW_WELCOME_H
#define CLIENT_GW_WELCOME_H

#include "client-gw/command.h"

/* Rooms for somebody; zeroed: none. Ends with welcome_rooms_finish. */
struct welcome_rooms {
    struct buf bytes;
    struct slice *names;
    size_t count;
};

/*
 * The rooms that these claims are put into, and `asked` ones. REFUSAL_INVALID: the token
 * lacks a claim that the file draws from; `hint` says so.
 */
enum refusal welcome_rooms(struct client_services *services, const struct claims *claims,
                           const struct slice *asked, size_t asked_count,
                           struct welcome_rooms *rooms, char hint[160]);
void welcome_rooms_finish(struct welcome_rooms *rooms);

/* What a CONNECT asks for; all borrowed but the claims. */
struct welcome_guest {
    struct connection *connection;
    struct slice nsp, name;    /* the namespace, and what the client calls it */
    bool is_recoverable;       /* whoever connects here may come back to the session */
    struct slice pid;          /* that it comes back with; empty: it does not */
    struct slice position;     /* and what it has got, as printed; empty: nothing */
    bool keeps_position;       /* as of struct recovery_claim */
    struct claims *claims;     /* takes; of services_admit */
    struct slice auth;         /* raw JSON, or empty */
    const struct slice *rooms; /* named, authorised */
    size_t room_count;
};

/*
 * Opens a session, or the one that the client comes back to (client-gw/recovery:
 * session->is_recovered and ->return_reason). `on_connected` runs with ST_OK when the
 * client is to be told, at once where it says later who it is, or with why not. What it
 * missed and what is live follows after it. A refusal: it does not run, and there is no
 * session.
 */
enum refusal welcome_open(struct client_services *services,
                          const struct welcome_guest *guest,
                          session_done_fn *on_connected, char hint[160]);

/* The client has been told that it is connected: greets it, and minds its token's end. */
void welcome_greet(struct session *session);

/*
 * An event of a client that is nobody yet: the one that says who it is, or one too early.
 */
void welcome_event(const struct command_call *call, struct slice name);
/* The connection's deadline has come: nobody has connected on it, or a session is late,
 * or its token is to be looked at. What every dialect with sessions does then. */
void welcome_due(struct connection *connection);

#endif

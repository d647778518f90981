/*
 * What dialects and commands may call upon, beside the connection they speak on. Built
 * once by the gateway. Loop thread.
 */
#ifndef CLIENT_GW_SERVICES_H
#define CLIENT_GW_SERVICES_H

#include "bridge/log_quota.h"
#include "bridge/str_map.h"
#include "bridge/token.h"
#include "client-gw/mount.h"
#include "client-gw/session.h"
#include "proto/event_publish.h"
#include "proto/ident.h"
#include "proto/ip_prefix.h"
#include "proto/native.h"
#include "proto/rate_table.h"
#include "proto/system.h"

struct beats;
struct catching_set;
struct connection_set;
struct polling_answers;
struct proving;
struct recovery;

enum {
    SERVICES_UUID_BYTES = 36,
};

struct client_services {
    struct session_set *sessions;
    struct engine *engine;
    struct token_keys *keys;
    struct system *system;                 /* the tables in force; shared */
    const struct config_gateway *settings; /* what holds where `mounts` are silent */
    struct mount_table *mounts;
    const struct logger *log;
    struct metrics *metrics;
    struct log_quota refusals;       /* a client may try as often as it likes */
    struct str_map eio_sids;         /* the connections that speak Engine.IO */
    struct polling_answers *polling; /* lent: one answer at a time is made there */
    struct catching_set
        *catching;             /* who gets something from the log before live events */
    struct recovery *recovery; /* who comes back */
    struct proving *proving;   /* what has reached whom */
    bool is_draining;          /* nobody new is let in */
    char gateway_mark[3]; /* the first two characters of every Engine.IO sid of ours */
    struct buf scratch;   /* one message at a time is encoded here */
    struct buf strings;   /* decoded strings of the message that is being handled */
    struct native_memory native; /* the same for a native one */

    /* commands */
    uv_loop_t *loop;
    struct connection_set *connections;
    struct buf user;              /* {user}, as JSON, of the command that runs */
    struct beats *beats;          /* NULL: there are none */
    struct rate_table *rates;     /* of users and addresses */
    struct token_bucket warned;   /* log lines about rates */
    struct buf rendering;         /* what a command sends */
    struct buf answer;            /* its ack */
    struct slice answer_values;   /* lent by `answer`, or by who waited */
    struct event_publish publish; /* of the event that a client relays */
    struct publish_request request;
    struct ident_ulids ulids;
    char id[IDENT_ULID_BYTES + 1];
    char uuid[SERVICES_UUID_BYTES + 1];
    char ip[IP_TEXT_BYTES];
};

/* Verifies a client's token now (token_verify) and asks the tables whether it is good
 * here, and whose (auth_rules_accept). Counts a refusal, and logs it unless this second
 * has had too many. */
enum refusal services_verify(struct client_services *services, struct slice token,
                             struct claims **claims, char hint[160]);
/* The same for who connects: where a connection needs no token, nobody's claims. */
enum refusal services_admit(struct client_services *services, struct slice token,
                            struct claims **claims, char hint[160]);

/* As access_may_join, with the tables in force. */
bool services_may_join(struct client_services *services, const struct claims *claims,
                       const struct room_key *key);

/* As access_may_publish, with the tables in force. */
bool services_may_publish(struct client_services *services, const struct claims *claims,
                          const struct room_key *key, bool is_member);

/* A client of a version that we do not speak was sent away: says what helps. */
void services_log_old_client(struct client_services *services, const char *ip);

/* The code that a refusal has in every dialect. */
enum status services_refusal_status(enum refusal refusal);

/* The scratch buffer, emptied. */
struct buf *services_scratch(struct client_services *services);

/* The buffer for what a command renders, emptied. */
struct buf *services_rendering(struct client_services *services);

/* Draws `uuid` anew: a random one (version 4). */
void services_new_uuid(struct client_services *services);
/* Lends the id of the next event of ours until the next one. */
const char *services_new_id(struct client_services *services);

/* Decodes a raw JSON string; lends it until the next call. False when out of memory. */
bool services_decode(struct client_services *services, struct slice json,
                     struct slice *text);

/* Shares `system`, the tables in force from now on. False: out of memory, nothing has
 * changed. */
bool services_use(struct client_services *services, struct system *system);

/* Frees what it owns. */
void services_finish(struct client_services *services);

#endif

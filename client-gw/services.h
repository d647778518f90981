/*
 * What dialects and commands may call upon, beside the connection they speak on. Built
 * once by the gateway. Loop thread.
 */
#ifndef CLIENT_GW_SERVICES_H
#define CLIENT_GW_SERVICES_H

#include "bridge/log_quota.h"
#include "bridge/token.h"
#include "client-gw/session.h"
#include "proto/native.h"

struct client_services {
    struct session_set *sessions;
    struct engine *engine;
    const struct token_keys *keys;
    const struct logger *log;
    struct metrics *metrics;
    struct log_quota refusals; /* a client may try as often as it likes */
    char gateway_mark[3]; /* the first two characters of every Engine.IO sid of ours */
    struct buf scratch;   /* one message at a time is encoded here */
    struct buf strings;   /* decoded strings of the message that is being handled */
    struct native_memory native; /* the same for a native one */
};

/* Verifies a client's token now; see token_verify. Counts a refusal, and logs it unless
 * this second has had too many. */
enum refusal services_verify(struct client_services *services, struct slice token,
                             struct claims **claims, char hint[160]);

/* The code that a refusal has in every dialect. */
enum status services_refusal_status(enum refusal refusal);

/* The scratch buffer, emptied. */
struct buf *services_scratch(struct client_services *services);

/* Decodes a raw JSON string; lends it until the next call. False when out of memory. */
bool services_decode(struct client_services *services, struct slice json,
                     struct slice *text);

/* Frees what it owns. */
void services_finish(struct client_services *services);

#endif

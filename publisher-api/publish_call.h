/*
 * Publishes on their way through the engine: from a valid envelope to the answer. An id
 * of the caller's is looked up in the idempotency window, the event is appended and its
 * target counted in the same turn of the loop, and the exchange is answered when both are
 * known. Loop thread only.
 */
#ifndef PUBLISHER_API_PUBLISH_CALL_H
#define PUBLISHER_API_PUBLISH_CALL_H

#include "bridge/engine.h"
#include "bridge/http_server.h"
#include "proto/event_rules.h"
#include "publisher-api/idempotency.h"
#include "publisher-api/reply.h"

struct publish_calls;

/* Goes with the answer to a repeated id. */
extern const struct http_header publish_replayed;

struct publish_calls_config {
    const struct logger *log; /* all kept until destroy */
    struct metrics *metrics;
    struct engine *engine;
    struct idempotency *idempotency;
};

/* Gives a set without calls (publish_calls_destroy), or NULL when out of memory. */
struct publish_calls *publish_calls_create(const struct publish_calls_config *config);

/* Calls that the engine still holds end silently when it lets them go. */
void publish_calls_destroy(struct publish_calls *calls);

/* How the answer is told, where it is not told as POST /v1/publish tells it. */
struct publish_teller {
    void (*kept)(void *ctx, struct http_exchange *exchange, const struct reply *reply);
    void (*refused)(void *ctx, struct http_exchange *exchange, struct problem *problem);
    /* Once and last, whatever became of it; the publisher may be gone. */
    void (*done)(void *ctx);
    void *ctx;
};

/* One accepted request. */
struct publish_order {
    struct envelope *envelope; /* complete but for the id when has_id is false */
    bool has_id;               /* the caller gave one */
    struct slice id_owner;     /* the user whose id it is; empty: one of the server's */
    struct slice body;         /* what a repeated id is compared by */
    const char *caller;        /* for the log */
    const struct event_rule
        *rule;                    /* the names that clients get it under; NULL: its own */
    struct publish_teller teller; /* zeroed: as usual */
    bool counts_users;            /* the answer says how many users are online */
};

/* Borrows `order`; the exchange is answered now or later, by this. */
void publish_calls_submit(struct publish_calls *calls, struct http_exchange *exchange,
                          const struct publish_order *order);

/* How many wait for the engine. */
size_t publish_calls_open(const struct publish_calls *calls);

#endif

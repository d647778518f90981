/*
 * One request to a route of the configuration, from its head to its answer: the values
 * that the route's templates draw from, and the words of its answers. Loop thread only.
 */
#ifndef PUBLISHER_API_ROUTE_CALL_H
#define PUBLISHER_API_ROUTE_CALL_H

#include "proto/ident.h"
#include "proto/route_rules.h"
#include "publisher-api/handlers.h"

enum {
    ROUTE_QUERY_PAIRS = 32,
};

/* As long as the request is unanswered, on the stack or on the heap. */
struct route_call {
    struct handler_parts *parts;
    struct system *system; /* shared: a reload may come before the answer */
    const struct route_rule *rule;
    const struct http_request *request; /* good while its exchange is */
    struct claims *claims;              /* NULL: none */
    struct buf event;                   /* of a publish, by its name */
};

/* What a template draws from. Values are decoded into `memory`, and lent until the next
 * reading. */
struct route_values {
    struct template_values values;
    struct template_pair path[ROUTE_PATH_SEGMENTS];
    struct template_pair query[ROUTE_QUERY_PAIRS];
    char memory[LIMIT_HTTP_HEAD_BYTES];
    char uuid[IDENT_UUID_BYTES + 1];
};

/* False: the path has an escape that is none, or is no UTF-8. */
bool route_values_read(const struct route_call *call, struct route_values *values);

/* Shares `system`; takes `claims`. Gives a call (route_call_destroy), or NULL when out of
 * memory: claims are dropped either way. */
struct route_call *route_call_create(struct handler_parts *parts, struct system *system,
                                     const struct route_rule *rule,
                                     const struct http_request *request,
                                     struct claims *claims);
void route_call_destroy(struct route_call *call);

/* Answers in the route's words: `result` is the JSON of what came of it. */
void route_call_reply(const struct route_call *call, struct http_exchange *exchange,
                      const struct reply *reply, struct slice result, int status);
void route_call_refuse(const struct route_call *call, struct http_exchange *exchange,
                       struct problem *problem);

/* Tells what becomes of a publish, and destroys the call at its end. */
struct publish_teller route_call_teller(struct route_call *call);

#endif

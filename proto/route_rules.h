/*
 * Routes of the publisher that a configuration adds: the `routes` table. Each says which
 * requests it takes, who may send them, what they do, and how they are answered. Of
 * several that match the one goes first whose path is the more fixed. Pure, and constant
 * once compiled.
 */
#ifndef PROTO_ROUTE_RULES_H
#define PROTO_ROUTE_RULES_H

#include "proto/claim_rules.h"
#include "proto/route_path.h"
#include "proto/status.h"
#include "proto/template.h"

enum route_act {
    ROUTE_PUBLISH,
    ROUTE_STATS,
    ROUTE_HEALTH,
};

enum route_auth {
    ROUTE_AUTH_KEY,  /* an API key, or a token of a backend's */
    ROUTE_AUTH_NONE, /* anybody; where something is published: of this machine */
    ROUTE_AUTH_JWT,  /* a token of a client's whose claims hold */
};

/* Pairs of pointers: what stands at `made` in a publish came from `body`. */
struct route_origin {
    char *made; /* "/data/title" */
    char *body; /* "/notification/title" */
};

/* One route. Read-only. */
struct route_rule {
    struct route_path path;
    struct place place;
    enum route_act act;
    enum route_auth auth;
    struct place auth_place;
    struct claim_rules *require; /* what a token must claim */
    struct template **rooms;     /* publish: to these rooms, */
    size_t room_count;
    bool to_all;                             /* or to everybody, */
    struct template *users;                  /* or to these users; */
    struct template *event, *payload;        /* payload NULL: none */
    struct template *reply_ok, *reply_error; /* NULL: as everywhere */
    int status;                              /* of a good answer; 0: the usual one */
    unsigned uses;       /* template sources that a publish draws from */
    unsigned reply_uses; /* and its answer */
    bool counts_users;   /* its answer says how many of the users are online */
    struct route_origin *origins;
    size_t origin_count;
};

struct route_rules;

/* Borrows `root`, a whole configuration, or NULL for none. Gives rules
 * (route_rules_destroy), or NULL after at least one fault was added. */
struct route_rules *route_rules_compile(const struct document_node *root,
                                        struct faults *faults);
void route_rules_destroy(struct route_rules *rules);

size_t route_rules_count(const struct route_rules *rules);
/* Lends the nth, in the order in which they are looked at. */
const struct route_rule *route_rules_at(const struct route_rules *rules, size_t n);

/* Whether the path of a request, as it was sent and without its query, belongs to one of
 * the routes, whatever its method. */
bool route_rules_have_path(const struct route_rules *rules, struct slice path);

/* Lends the route of a request. NULL: ST_NOT_FOUND or ST_METHOD in `*verdict`. HEAD is
 * taken as GET. */
const struct route_rule *route_rules_find(const struct route_rules *rules,
                                          enum http_method method, struct slice path,
                                          enum status *verdict);

#endif

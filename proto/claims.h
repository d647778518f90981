/*
 * What a verified token says. The signature is bridge/token's business; here the claims
 * are read and checked: every one that decides about access must have the right type (a
 * string `exp` is not "no exp").
 */
#ifndef PROTO_CLAIMS_H
#define PROTO_CLAIMS_H

#include "proto/limits.h"
#include "proto/slice.h"
#include "proto/status.h"

/* Which listener asks; audiences keep the three kinds of token apart. */
enum claims_use {
    CLAIMS_CLIENT,  /* refuses aud sidecast:publish and sidecast:admin */
    CLAIMS_PUBLISH, /* requires aud sidecast:publish */
    CLAIMS_ADMIN,   /* requires aud sidecast:admin */
};

/* The reasons of a refusal as the wire spells them: missing invalid expired not_yet … */
enum refusal {
    REFUSAL_NONE,
    REFUSAL_MISSING,
    REFUSAL_INVALID,
    REFUSAL_EXPIRED,
    REFUSAL_NOT_YET,
    REFUSAL_REVOKED,
    REFUSAL_INACTIVE,
    REFUSAL_FORBIDDEN,
    REFUSAL_UNAVAILABLE,
    REFUSAL_LIMIT,
    REFUSAL_COUNT
};
const char *refusal_reason(enum refusal refusal); /* "not_yet" */
const char *refusal_text(enum refusal refusal); /* "Token expired", "Not authorized", … */

/* Who a client is. Owns its memory (claims_finish). Copy by claims_share. */
struct claims;

/* What a token must say beside its dates. All zero: nothing more. Borrowed. */
struct claims_rules {
    int64_t leeway_s;      /* how far the clocks of issuer and server may be apart */
    int64_t max_ttl_s;     /* how far ahead `exp` may be; 0: any distance */
    struct slice issuer;   /* `iss` must be this; empty: not looked at */
    struct slice audience; /* `aud` of a client's token must have this; empty: any */
    bool needs_no_sub;     /* a client's id is made of other claims (claims_as) */
};

/* What `aud` must have for this use; empty: anything that is not a backend's. Lent by the
 * rules. */
struct slice claims_audience(enum claims_use use, const struct claims_rules *rules);

/*
 * Borrows `json`, the payload of a token whose signature held. `now_s` is wall clock.
 * `exp` must be there, and an integer. Gives claims on REFUSAL_NONE. `hint` (may be NULL)
 * gets a sentence for the log.
 */
enum refusal claims_decode(struct slice json, enum claims_use use, int64_t now_s,
                           const struct claims_rules *rules, struct claims **claims,
                           char hint[160]);

/* Gives claims of nobody: no user, no rooms, no end; NULL when out of memory. */
struct claims *claims_nobody(void);
/* Takes `claims`; gives the same with another user, NULL when out of memory. */
struct claims *claims_as(struct claims *claims, struct slice user);

/* Reference counted, one thread. */
struct claims *claims_share(struct claims *claims);
void claims_drop(struct claims *claims);

struct slice
claims_user(const struct claims *claims); /* `sub` as a string; empty: none */
int64_t claims_expires_s(const struct claims *claims); /* `exp` */
/* Is there a list of rooms at all, be it one of none? */
bool claims_names_rooms(const struct claims *claims);
size_t claims_room_count(const struct claims *claims);
struct slice claims_room(const struct claims *claims, size_t i); /* a valid pattern */
/* All of it, an object that has passed the gate; empty: nobody's. Kept also where no
 * table asks for it yet: a reload may bring one, and who is connected counts as who they
 * are. */
struct slice claims_json(const struct claims *claims);
bool claims_has_scope(const struct claims *claims, const char *word);

#endif

/*
 * Rules of authentication: the `auth` table of a configuration but for `jwt`, which says
 * how tokens are checked. Where a token is looked for, what it must claim, who it makes
 * somebody, what is said to those it does not let in, and what happens when it ends.
 * Pure, and constant once compiled.
 */
#ifndef PROTO_AUTH_RULES_H
#define PROTO_AUTH_RULES_H

#include "proto/auth_event.h"
#include "proto/auth_refusal.h"
#include "proto/auth_sources.h"

enum auth_mode {
    AUTH_HANDSHAKE, /* a token opens a connection */
    AUTH_EVENT,     /* it comes by an event, later */
    AUTH_NONE,      /* nobody has one, and all are nobody */
};

/* What happens when the token of a live connection ends. */
enum auth_end {
    AUTH_END_DISCONNECT, /* told to stay away; a client does not come back by itself */
    AUTH_END_CLOSE,      /* cut; a client comes back, and needs a new token */
    AUTH_END_NONE,
};

struct auth_rules;

/* Borrows `node`, the `auth` map, or NULL for the defaults. Gives rules
 * (auth_rules_destroy), or NULL after at least one fault was added. */
struct auth_rules *auth_rules_compile(const struct document_node *node,
                                      struct faults *faults);
void auth_rules_destroy(struct auth_rules *rules);

/* All of these lend. */
enum auth_mode auth_rules_mode(const struct auth_rules *rules);
const struct auth_sources *auth_rules_sources(const struct auth_rules *rules);
const struct auth_refusals *auth_rules_refusals(const struct auth_rules *rules);
const struct auth_event *auth_rules_event(const struct auth_rules *rules);
enum auth_end auth_rules_end(const struct auth_rules *rules);
const struct emission_list *auth_rules_end_emits(const struct auth_rules *rules);
/* How often ends are looked for; 0: when they come. */
uint64_t auth_rules_every_ms(const struct auth_rules *rules);
/* How long before its end a client is told; 0: it is not. */
uint64_t auth_rules_warn_ms(const struct auth_rules *rules);

/* The sources that any of its templates draws from; TEMPLATE_CLAIMS also when `require`
 * or `user` reads them. */
unsigned auth_rules_uses(const struct auth_rules *rules);
/* Whether `user` makes the id of something other than `sub`. */
bool auth_rules_has_user(const struct auth_rules *rules);

/*
 * Is a verified token good here? `claims` is its JSON. REFUSAL_NONE: appends the id of
 * its user to `user` where auth_rules_has_user. A `require` that does not hold is
 * REFUSAL_FORBIDDEN, of the claim `active` REFUSAL_INACTIVE (RFC 7662); a claim that a
 * template lacks is REFUSAL_INVALID. `hint` gets a sentence.
 */
enum refusal auth_rules_accept(const struct auth_rules *rules, struct slice claims,
                               struct buf *user, char hint[160]);

/* Appends what {user} stands for: {"id": …} and the pieces of `data`. As
 * template_json. */
enum status auth_rules_user(const struct auth_rules *rules, struct slice claims,
                            struct slice user, struct buf *out);

#endif

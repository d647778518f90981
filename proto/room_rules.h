/*
 * Rules of rooms: the `rooms` list of a configuration. Each row is a pattern with who may
 * join what it matches, and what else holds there. The most specific row that matches
 * decides, among equal ones the first; where none does, the token's own grants do. Pure:
 * asked at every join, refresh and recovery, never per delivery.
 */
#ifndef PROTO_ROOM_RULES_H
#define PROTO_ROOM_RULES_H

#include "proto/catchup_rules.h"

enum room_allow {
    ROOM_ALLOW_TOKEN, /* whom the token's `rooms` grant it */
    ROOM_ALLOW_ANY,   /* everybody who is connected */
    ROOM_ALLOW_NONE,  /* nobody by themselves */
    ROOM_ALLOW_CLAIM, /* whose claims meet `require` */
};

/* Who of the clients may send into a room, by a command that relays. */
enum room_publish {
    ROOM_PUBLISH_ANY,     /* whom the command lets */
    ROOM_PUBLISH_MEMBERS, /* who is in it, whatever the command says */
    ROOM_PUBLISH_NONE,    /* none: backends alone */
    ROOM_PUBLISH_CLAIM,   /* whose claims meet what it asks for, too */
};

struct room_rule;
struct room_rules;

/* Borrows `node`, a list of rows, or NULL for none. Gives rules (room_rules_destroy), or
 * NULL after at least one fault was added. */
struct room_rules *room_rules_compile(const struct document_node *node,
                                      struct faults *faults);
void room_rules_destroy(struct room_rules *rules);

/*
 * The row that decides about a named room for somebody with these claims (a JSON object
 * that has passed the gate; empty: nobody); NULL: none does. Lent by the rules. `scratch`
 * is used for the patterns.
 */
const struct room_rule *room_rules_find(const struct room_rules *rules,
                                        struct slice claims, struct slice name,
                                        struct buf *scratch);

/* The template sources that the rules draw from: TEMPLATE_CLAIMS, or none. */
unsigned room_rules_uses(const struct room_rules *rules);

enum room_allow room_rule_allow(const struct room_rule *rule);
/* Whether `require` holds; it does where there is none. */
bool room_rule_requires_met(const struct room_rule *rule, struct slice claims,
                            const char **failed);
enum room_publish room_rule_publish(const struct room_rule *rule);
/* Whether the claims that `publish` asks for are there; so they are where it asks none.
 */
bool room_rule_publish_met(const struct room_rule *rule, struct slice claims);
/*
 * Whether clients are not told of a room that they are in. It is a matter of the name
 * alone, since one message goes to many: a placeholder counts as if it were `*`.
 */
bool room_rules_hide(const struct room_rules *rules, struct slice name);
/* What of the past a new member, or a catch-up, may get. Lent by the rules. */
const struct room_history *room_rule_history(const struct room_rule *rule);
/* Whether there is a row whose history goes to who joins. */
bool room_rules_give_on_join(const struct room_rules *rules);
/* Members of one room over this gateway; 0: as many as come. */
uint64_t room_rule_max_members(const struct room_rule *rule);

#endif

/*
 * What a token must claim: `require: {role: admin, team: [red, blue], email: "*"}`. Every
 * row must hold; a list allows any of its values, "*" any value at all. Pure.
 */
#ifndef PROTO_CLAIM_RULES_H
#define PROTO_CLAIM_RULES_H

#include "proto/document.h"

struct claim_rules;

/* Borrows `node`, a map, or NULL for no rules, which always hold. Gives rules
 * (claim_rules_destroy), or NULL after at least one fault was added. */
struct claim_rules *claim_rules_compile(const struct document_node *node,
                                        struct faults *faults);
void claim_rules_destroy(struct claim_rules *rules);

/* Borrows `claims`, a JSON object that has passed the gate, or nothing. False names the
 * first claim that does not hold; lent by the rules. */
bool claim_rules_hold(const struct claim_rules *rules, struct slice claims,
                      const char **failed);

#endif

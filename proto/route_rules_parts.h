/* What the files of the table of routes share; nobody else includes it. */
#ifndef PROTO_ROUTE_RULES_PARTS_H
#define PROTO_ROUTE_RULES_PARTS_H

#include "proto/route_rules.h"

/* Reads one row into a zeroed rule; all of its faults are added. */
void route_row_read(const struct document_node *row, struct route_rule *rule,
                    struct faults *faults);
void route_rule_finish(struct route_rule *rule);

/* Checks the names that templates draw from: parameters of the path, and what the result
 * of the action has. Sets counts_users when one is drawn from it. */
void route_names_check(const struct document_node *node, const struct template *template,
                       struct route_rule *rule, struct faults *faults);

/* Remembers which part of the body a part of the publish comes from: `made` is the
 * pointer of what `node` makes. */
void route_origins_read(const struct document_node *node, const char *made,
                        struct route_rule *rule, struct faults *faults);

#endif

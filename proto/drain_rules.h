/*
 * What clients are told before a gateway that stops sends them away: `event` and
 * `payload` of the `drain` table of a configuration. Pure, and constant once compiled.
 */
#ifndef PROTO_DRAIN_RULES_H
#define PROTO_DRAIN_RULES_H

#include "proto/emission.h"

/* Borrows `node`, the `drain` map, or NULL for nothing. Gives a list of one emission or
 * none (emission_list_destroy), or NULL after at least one fault was added. */
struct emission_list *drain_rules_compile(const struct document_node *node,
                                          struct faults *faults);

#endif

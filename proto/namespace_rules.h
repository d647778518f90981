/*
 * Namespaces: which ones a Socket.IO client may connect to, other names that they go by,
 * which commands work there, who is always refused. The table `namespaces` of a
 * configuration. "/" is always there, unless the file refuses it; the native dialect
 * lives in it. Pure, and constant once compiled.
 */
#ifndef PROTO_NAMESPACE_RULES_H
#define PROTO_NAMESPACE_RULES_H

#include "proto/command_rules.h"

struct namespace_refusal;
struct namespace_rules;

struct namespace_rule {
    struct slice name;                 /* as a client says it */
    const struct namespace_rule *real; /* itself, or the one it is another name of */
    const struct namespace_refusal *refusal; /* NULL: one may connect */
    bool recovers;                           /* clients may come back to their sessions */
    bool has_commands; /* only those that the file lists work here */
    const struct command_rule **commands;
    size_t command_count;
};

/* Borrows `node`, the map, or NULL for "/" alone; keeps `commands`, which may be NULL
 * after a fault. Gives rules (namespace_rules_destroy), or NULL after at least one fault
 * was added. */
struct namespace_rules *namespace_rules_compile(const struct document_node *node,
                                                const struct command_rules *commands,
                                                struct faults *faults);
void namespace_rules_destroy(struct namespace_rules *rules);

/* The sources that any of the templates draws from. */
unsigned namespace_rules_uses(const struct namespace_rules *rules);

/* Whether clients may come back to their sessions in any that one may connect to. */
bool namespace_rules_recover(const struct namespace_rules *rules);

/* Lends the one that a client calls `name`; NULL: there is none. */
const struct namespace_rule *namespace_rules_find(const struct namespace_rules *rules,
                                                  struct slice name);

/* Whether the command works in the namespace with this real name: none does in one that
 * is not there (any more). */
bool namespace_rules_allow(const struct namespace_rules *rules, struct slice name,
                           const struct command_rule *command);

/* Lent by the rules. */
struct slice namespace_refusal_message(const struct namespace_refusal *refusal);
/* Appends the data of a refusal, one JSON value, or nothing where the file has none.
 * `values` has the code, the message and what else the uses say. */
void namespace_refusal_data(const struct namespace_refusal *refusal,
                            const struct template_values *values, struct buf *out);

#endif

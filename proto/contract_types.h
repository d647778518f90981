/*
 * Contracts as TypeScript: the type of what keeps a schema, as far as types can tell. A
 * schema that speaks of properties means objects, also where it does not say so: types
 * are for people who write clients. Pure.
 */
#ifndef PROTO_CONTRACT_TYPES_H
#define PROTO_CONTRACT_TYPES_H

#include "proto/document.h"

/* Appends a name for types: "agent:update" gives AgentUpdate. */
void contract_type_name(struct slice event, struct buf *out);

/* Appends `export type NAME = …;`, and one more for each of the schema's definitions.
 * The schema is one that compiles. */
void contract_types_write(const struct document_node *schema, struct slice name,
                          struct buf *out);

/* Appends the type of a part whose references lead to `root`, called `name`. */
void contract_type_write(const struct document_node *schema,
                         const struct document_node *root, struct slice name,
                         struct buf *out);

#endif

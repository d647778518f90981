/*
 * The schemas behind a catalog of events, for what shows it to other programs: types,
 * AsyncAPI. The rules were compiled from the same configuration and files, so that
 * everything named here is there.
 */
#ifndef PROTO_EVENT_SCHEMA_H
#define PROTO_EVENT_SCHEMA_H

#include "proto/event_rules.h"

/* The row of an event, or NULL: a contract's file alone names it. Lent by `root`. */
const struct document_node *event_schema_row(const struct document_node *root,
                                             const struct event_rule *rule);

/* The contract of an event as it is written, or NULL. Lent by `root` or `files`. */
const struct document_node *event_schema_find(const struct document_node *root,
                                              const struct system_files *files,
                                              const struct event_rule *rule);

/* Appends a name for the payload of the event at `at`: AgentUpdate, AgentUpdate_2. */
void event_schema_name(const struct event_rules *rules, size_t at, struct buf *out);

/* The names that clients get an event under: its own, or those of `emit_as`. */
size_t event_schema_names(const struct event_rule *rule);
struct slice event_schema_name_at(const struct event_rule *rule, size_t i);
bool event_schema_emits(const struct event_rule *rule, struct slice name);

/* Several events may go out under one name: the place of the first, and whether there
 * are others. `name` is one of them. */
size_t event_schema_first(const struct event_rules *rules, struct slice name,
                          bool *is_shared);

/* The template of what clients get, or NULL: the payload as it is. `*is_args`: it makes
 * the arguments. Lent by `root`. */
const struct document_node *event_schema_shape(const struct document_node *root,
                                               const struct event_rule *rule,
                                               bool *is_args);

/* The text between the braces of a scalar that is exactly one placeholder. */
bool event_schema_placeholder(const struct document_node *node, struct slice *inside);

#endif

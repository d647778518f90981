/*
 * A catalog of events as TypeScript: the interfaces for
 * `io<ServerToClientEvents, ClientToServerEvents>()`, and the payload of each event. What
 * clients get is told: envelopes, arguments and names as the rows make them.
 */
#ifndef PROTO_EVENT_TYPES_H
#define PROTO_EVENT_TYPES_H

#include "proto/event_rules.h"

/* Borrows all; `rules` were compiled from `root` and `files`. Appends a whole module;
 * check buf_status. */
void event_types_write(const struct event_rules *rules, const struct document_node *root,
                       const struct system_files *files, struct buf *out);

#endif

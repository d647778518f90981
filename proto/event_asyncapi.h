/*
 * A catalog of events as an AsyncAPI document (2.6, JSON): one channel for each name that
 * clients get an event under, its payload as clients get it, with the contracts as they
 * are written.
 */
#ifndef PROTO_EVENT_ASYNCAPI_H
#define PROTO_EVENT_ASYNCAPI_H

#include "proto/event_rules.h"

/* Borrows all; `rules` were compiled from `root` and `files`; `public_url` is where
 * clients connect, empty: nobody knows. Appends JSON; check buf_status. */
void event_asyncapi_write(const struct event_rules *rules,
                          const struct document_node *root,
                          const struct system_files *files, struct slice public_url,
                          struct buf *out);

#endif

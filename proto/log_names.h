/*
 * A system's own words in log lines: `logs.names` and `logs.prefixes` of a configuration.
 * Other names for the lines that tell of clients and events, and for their fields, and
 * what stands in front of a line. Pure, and constant once compiled.
 *
 *   names: {client connected: "Socket connected: {sid} (user: {user})", sid: socket}
 *   prefixes: {gateway: "[Socket.IO]", publish accepted: "[Broadcast]"}
 */
#ifndef PROTO_LOG_NAMES_H
#define PROTO_LOG_NAMES_H

#include "proto/document.h"

struct log_names;

/* Borrows `node`, the `logs` map, or NULL for none. Gives names (log_names_destroy), or
 * NULL after at least one fault was added. */
struct log_names *log_names_compile(const struct document_node *node,
                                    struct faults *faults);
void log_names_destroy(struct log_names *names);

/* Lends the system's word for a line or a field: `word` itself where it has none. That of
 * a line may have fields in braces. `names` may be NULL. */
const char *log_names_find(const struct log_names *names, const char *word);
/* Lends what stands in front of `line`: its own, else that of `part` (publisher, gateway,
 * serve), else nothing. `names` may be NULL. */
const char *log_names_prefix(const struct log_names *names, const char *line,
                             const char *part);

/* Cuts the next "{field}" off the name of a line: `*text` is what stands before it.
 * False: there is none, and `*text` is all that is left. */
bool log_names_cut(struct slice *name, struct slice *text, struct slice *field);
/* Whether the name of a line has the field, which then need not follow it. */
bool log_names_shows(const char *name, const char *field);

#endif

/*
 * A system's own words in log lines: `logs.names` of a configuration. Other names for the
 * lines that tell of clients and events, and for their fields. Pure, and constant once
 * compiled.
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

/* Lends the system's word for a line or a field: `word` itself where it has none. `names`
 * may be NULL. */
const char *log_names_find(const struct log_names *names, const char *word);

#endif

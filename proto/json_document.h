/* A JSON text as a document (proto/document.h), with its places; for JSON files that are
 * part of the configuration. The exact rules of JSON, not YAML's. */
#ifndef PROTO_JSON_DOCUMENT_H
#define PROTO_JSON_DOCUMENT_H

#include "proto/document.h"

/* Borrows `text`; keeps `file`. True gives `*root` (document_finish); false: one fault
 * was added. */
bool json_document_read(const char *file, struct slice text, struct document_node *root,
                        struct faults *faults);

/* Appends a node as JSON: plain scalars that are JSON words as they are, others as
 * strings. */
void json_document_write(const struct document_node *node, struct buf *out);

#endif

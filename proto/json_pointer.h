/*
 * Where a value stands in a JSON text that has passed the gate, as a JSON Pointer (RFC
 * 6901). For messages about what is wrong: it walks the text from its beginning.
 */
#ifndef PROTO_JSON_POINTER_H
#define PROTO_JSON_POINTER_H

#include "proto/buf.h"
#include "proto/json_text.h"

/* Appends the pointer of the innermost value of `json` that begins at or before `at`;
 * nothing for the text itself. Check buf_status. */
void json_pointer_add(struct slice json, const char *at, struct buf *out);

#endif

/*
 * Bytes inside JSON. An object whose one member is called "$binary", spelled just so, and
 * is a string of base64, stands for them: {"$binary":"AAEC"}. Any other object is data.
 * Reads JSON that has passed the gate, in one pass and without memory; a text that has no
 * "$binary" costs one search.
 */
#ifndef PROTO_BINARY_H
#define PROTO_BINARY_H

#include "proto/buf.h"

/* What may be one: whether its string is base64 is not yet known. */
struct binary_spot {
    struct slice object; /* from brace to brace */
    struct slice string; /* the value, with its quotes */
};

/* The next one behind `*at`, which is 0 to begin with. Lends from `json`. */
bool binary_next(struct slice json, size_t *at, struct binary_spot *spot);

/* How many there are. */
size_t binary_count(struct slice json);

/*
 * Appends the bytes that it stands for; false, and nothing appended, when it is not
 * base64, or `out` has failed. What is decoded may lie in `out` itself, as long as
 * string.len bytes more are reserved there.
 */
bool binary_add_bytes(const struct binary_spot *spot, struct buf *out);

/* Appends {"$binary":"…"}. */
void binary_add_object(struct slice bytes, struct buf *out);

#endif

/*
 * Base64 of RFC 4648 §4, the alphabet with `+` and `/`. Written with padding; read with
 * it or without.
 */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include "proto/buf.h"

/* How many characters `bytes` bytes become. */
size_t base64_text_len(size_t bytes);

/* Appends the text of `bytes`; check buf_status. */
void base64_encode(struct slice bytes, struct buf *out);

/* Whether `text` is base64, and of how many bytes. */
bool base64_measure(struct slice text, size_t *bytes);

/* Writes the bytes of a text that has been measured. `out` may be where `text` begins:
 * what is written never overtakes what is read. */
void base64_decode(struct slice text, char *out);

#endif

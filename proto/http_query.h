/*
 * Small lookups in the parts of a request head that has passed the gate: queries and
 * cookies. Nothing is copied; values stay as they were sent.
 */
#ifndef PROTO_HTTP_QUERY_H
#define PROTO_HTTP_QUERY_H

#include "proto/slice.h"

/*
 * The value of `name` in a raw query; the last one wins (as the reference server has it).
 * Still percent-encoded. False when absent.
 */
bool http_query_find(struct slice query, const char *name, struct slice *value);

/*
 * Decodes %XX and, in queries, '+'. Writes at most text.len bytes to `out`, gives the
 * length. False on a malformed escape or an encoded NUL.
 */
bool http_percent_decode(struct slice text, bool plus_is_blank, char *out, size_t *len);

/* The value of cookie `name`, without quotes; the first one wins. False when absent. */
bool http_cookie_find(struct slice cookies, const char *name, struct slice *value);

#endif

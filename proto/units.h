/*
 * Durations and sizes as people write them: a whole number with its unit, `250ms 25s 5m
 * 1h` and `512B 64KiB 1MB 1MiB`. A bare number is refused, since nobody can tell what it
 * counts.
 */
#ifndef PROTO_UNITS_H
#define PROTO_UNITS_H

#include "proto/slice.h"
#include "proto/status.h"

enum {
    UNITS_TEXT_BYTES = 24, /* any printed value and its terminator */
};

/*
 * ST_BAD_PAYLOAD sets `*reason` (may not be NULL) to a string literal that says what to
 * write, to stand after the name of the field: "needs a unit, for instance 250ms, 25s, 5m
 * or 1h".
 */
enum status units_parse_duration(struct slice text, uint64_t *ms, const char **reason);
enum status units_parse_size(struct slice text, uint64_t *bytes, const char **reason);

/* The largest unit that loses nothing: 90000 is "90s". Terminated; gives the length. */
size_t units_print_duration(uint64_t ms, char out[UNITS_TEXT_BYTES]);
size_t units_print_size(uint64_t bytes, char out[UNITS_TEXT_BYTES]);

#endif

/*
 * The gate for JSON that comes from a peer: one pass over the bytes, before any tree is
 * built and without recursion. It refuses what RFC 8259 refuses, and: bytes that are not
 * UTF-8, lone surrogate escapes, duplicate keys (compared as decoded), and whatever
 * passes a ceiling. It gives slices of the parts asked for, so that a payload can be
 * forwarded as it came.
 */
#ifndef PROTO_JSON_GATE_H
#define PROTO_JSON_GATE_H

#include "proto/slice.h"
#include "proto/status.h"

enum json_type {
    JSON_GATE_NONE, /* absent */
    JSON_GATE_OBJECT,
    JSON_GATE_ARRAY,
    JSON_GATE_STRING,
    JSON_GATE_NUMBER,
    JSON_GATE_TRUE,
    JSON_GATE_FALSE,
    JSON_GATE_NULL
};

struct json_limits {
    size_t depth;
    size_t nodes; /* values, keys not counted */
    size_t string_bytes;
    size_t number_bytes;
};

/* The ceilings of proto/limits.h; a string may be as long as the text. */
extern const struct json_limits json_limits_default;

/* One value inside a checked text. `text` is its raw bytes, without blanks around it,
 * lent by the input; a string keeps its quotes and escapes. */
struct json_value {
    enum json_type type;
    struct slice text;
};

/* A member of an object: `key` is raw, between its quotes. */
struct json_member {
    struct slice key;
    struct json_value value;
};

/* Where and why a text was refused. `reason` is a string literal. */
struct json_fault {
    size_t offset;
    const char *reason;
};

/* Any JSON value. ST_BAD_REQUEST fills `fault` (which may be NULL). ST_NO_MEMORY is
 * possible. */
enum status json_gate_check(struct slice text, const struct json_limits *limits,
                            struct json_value *value, struct json_fault *fault);

/*
 * As json_gate_check, and the top level must be an object (else ST_BAD_PAYLOAD): its
 * members, in their order, at most `max` of them (more: ST_BAD_PAYLOAD).
 */
enum status json_gate_object(struct slice text, const struct json_limits *limits,
                             struct json_member *members, size_t max, size_t *count,
                             struct json_fault *fault);

/* The same for an array. */
enum status json_gate_array(struct slice text, const struct json_limits *limits,
                            struct json_value *items, size_t max, size_t *count,
                            struct json_fault *fault);

/*
 * Walks the items of an array, or the members of an object, that has passed the gate;
 * nothing is checked again. Start with `{0}` for the cursor; false at the end.
 */
struct json_cursor {
    size_t at;
};
bool json_array_next(struct slice array, struct json_cursor *cursor,
                     struct json_value *item);
bool json_object_next(struct slice object, struct json_cursor *cursor,
                      struct json_member *member);

/* The member called `key` (plain text) of an object that has passed the gate;
 * JSON_GATE_NONE when absent. */
struct json_value json_object_find(struct slice object, const char *key);

/*
 * Decodes a string that has passed the gate (with its quotes) into `out`, which needs at
 * most text.len bytes. Lends a slice of the text itself when nothing is escaped; `*out`
 * is then left alone.
 */
struct slice json_string_decode(struct slice text, char *out);

/* The value of a number that has passed the gate when it is an integer in 0…2^53-1. */
bool json_number_to_u64(struct slice text, uint64_t *value);

#endif

/*
 * The gate for JSON that comes from a peer: one pass over the bytes, before any tree is
 * built and without recursion. It refuses what RFC 8259 refuses, and: bytes that are not
 * UTF-8, duplicate keys (compared as decoded), and whatever passes a ceiling. It gives
 * slices of the parts asked for, so that a payload can be forwarded as it came.
 */
#ifndef PROTO_JSON_GATE_H
#define PROTO_JSON_GATE_H

#include "proto/json_text.h"
#include "proto/limits.h"
#include "proto/status.h"

struct json_limits {
    size_t depth;        /* of containers; never more than LIMIT_JSON_DEPTH */
    size_t nodes;        /* values, keys not counted */
    size_t string_bytes; /* of one string or key, as it is written, without its quotes */
    size_t number_bytes;
};

/* The ceilings of proto/limits.h; a string may be as long as the text. */
extern const struct json_limits json_limits_default;

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

#endif

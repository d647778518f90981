/*
 * Reading JSON that has passed the gate (proto/json_gate.h): nothing is checked again,
 * nothing is built. On other bytes the results mean nothing, but stay inside the slice.
 */
#ifndef PROTO_JSON_TEXT_H
#define PROTO_JSON_TEXT_H

#include "proto/slice.h"

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

/*
 * Walks the items of an array, or the members of an object. Start with `{0}` for the
 * cursor; false at the end, and at once when the text is of another type.
 */
struct json_cursor {
    size_t at;
};
bool json_array_next(struct slice array, struct json_cursor *cursor,
                     struct json_value *item);
bool json_object_next(struct slice object, struct json_cursor *cursor,
                      struct json_member *member);
/* The same for the items of an array that comes without its brackets. */
bool json_list_next(struct slice list, struct json_cursor *cursor,
                    struct json_value *item);

/* The member called `key` (plain text); JSON_GATE_NONE when absent. */
struct json_value json_object_find(struct slice object, const char *key);

/*
 * Decodes a string, given with its quotes, into `out`, which needs at most text.len
 * bytes. Lends a slice of the text itself when nothing is escaped; `*out` is then left
 * alone. The result may hold NUL; half of a surrogate pair becomes U+FFFD.
 */
struct slice json_string_decode(struct slice text, char *out);
/* The same for a key, which comes without its quotes. */
struct slice json_key_decode(struct slice raw, char *out);

/* The value of a number in 0…2^53-1 that is written in digits only: no sign, point or
 * exponent. */
bool json_number_to_u64(struct slice text, uint64_t *value);

#endif

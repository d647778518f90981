/*
 * For fuzz targets that take several texts: parts of an input, divided by a line of its
 * own, "---"; and what must hold of all that a template renders.
 */
#ifndef TESTS_SUPPORT_FUZZ_PARTS_H
#define TESTS_SUPPORT_FUZZ_PARTS_H

#include "proto/buf.h"
#include "proto/json_gate.h"
#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>

/* Cuts the next part off; `fallback` where there is none. */
static inline struct slice fuzz_part(struct slice *rest, const char *fallback)
{
    const char *end = rest->ptr ? memmem(rest->ptr, rest->len, "\n---\n", 5) : NULL;
    struct slice part = rest->ptr ? *rest : slice_of(fallback);

    if (end)
        part.len = (size_t)(end - rest->ptr);
    *rest = end ? slice_from(*rest, part.len + 5) : (struct slice){0};
    return part;
}

static inline bool fuzz_is_json(struct slice text, enum json_type type)
{
    struct json_value value;

    return !json_gate_check(text, &json_limits_default, &value, NULL) &&
           value.type == type;
}

/* A template may nest deeper than a client, and than the gate looks. */
static inline bool fuzz_is_flat(struct slice json)
{
    size_t opened = 0;

    for (size_t i = 0; i < json.len; i++)
        opened += json.ptr[i] == '[' || json.ptr[i] == '{';
    return opened < LIMIT_JSON_DEPTH - 1;
}

/* Comma-separated raw JSON values, or none. */
static inline void fuzz_must_be_values(struct slice values)
{
    struct buf array = {.max = values.len + 2};
    struct json_value value;

    buf_add_byte(&array, '[');
    buf_add(&array, values);
    buf_add_byte(&array, ']');
    if (fuzz_is_flat(values) && json_gate_check(buf_slice(&array), &json_limits_default,
                                                &value, NULL) == ST_BAD_REQUEST)
        abort();
    buf_finish(&array);
}

#endif

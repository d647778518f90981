/*
 * Are two JSON values the same? As JSON Schema compares: numbers by value (1 is 1.0),
 * strings as decoded, objects without regard to order. Both have passed the gate, which
 * bounds their depth; `steps` bounds the rest.
 */
#ifndef PROTO_JSON_EQUAL_H
#define PROTO_JSON_EQUAL_H

#include "proto/json_text.h"
#include "proto/steps.h"

/* False as well when the steps are spent. */
bool json_equal_values(struct slice a, struct slice b, struct steps *steps);

/* Equal values have the same; means nothing when the steps are spent. */
uint64_t json_equal_hash(struct slice value, struct steps *steps);

/* The value of a number; strings such as 1e400 give infinity. */
double json_equal_number(struct slice text);

#endif

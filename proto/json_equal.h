/*
 * Are two JSON values the same? As JSON Schema compares: numbers by value (1 is 1.0),
 * strings as decoded, objects without regard to order. Both have passed the gate, which
 * bounds their depth.
 */
#ifndef PROTO_JSON_EQUAL_H
#define PROTO_JSON_EQUAL_H

#include "proto/json_text.h"

bool json_equal_values(struct slice a, struct slice b);

/* The value of a number; strings such as 1e400 give infinity. */
double json_equal_number(struct slice text);

#endif

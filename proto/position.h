/*
 * A position in the log: (epoch, seq). Printed as one opaque string, at most
 * LIMIT_POSITION_BYTES of [A-Za-z0-9_-], e.g. "k3Jx9QaT-1z4": the epoch as 8 base64url
 * characters, '-', the seq in base 36.
 */
#ifndef PROTO_POSITION_H
#define PROTO_POSITION_H

#include "proto/limits.h"
#include "proto/slice.h"
#include "proto/status.h"

struct position {
    uint64_t epoch; /* 48 random bits; 0: none */
    uint64_t seq;   /* 1 is the first event of an epoch; 0: before it */
};

/* Writes a terminated string; gives its length. */
size_t position_print(const struct position *position,
                      char out[LIMIT_POSITION_BYTES + 1]);
enum status position_parse(struct slice text, struct position *position);
/* The epoch alone, 8 characters and a terminator. */
void epoch_print(uint64_t epoch, char out[9]);

#endif

/* SipHash-2-4 (Aumasson, Bernstein 2012): the keyed hash for every table that holds a
 * peer's names. */
#ifndef PROTO_SIPHASH_H
#define PROTO_SIPHASH_H

#include "proto/slice.h"

struct hash_key {
    uint64_t k0, k1; /* random, drawn once per process */
};

uint64_t siphash(const struct hash_key *key, struct slice bytes);

#endif

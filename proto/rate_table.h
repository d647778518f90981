/*
 * How much of a rate each user or address has used: a table of a fixed size, so that
 * whoever comes from many places makes it forget, not grow. Of four that share a place
 * the one seen last longest ago goes. Pure; any one thread.
 */
#ifndef PROTO_RATE_TABLE_H
#define PROTO_RATE_TABLE_H

#include "proto/siphash.h"
#include "proto/token_bucket.h"

enum {
    RATE_TABLE_ENTRIES = 16384,
    RATE_TABLE_WAYS = 4
};

struct rate_table;

/* Gives a table (rate_table_destroy), or NULL; its memory comes with the first question.
 */
struct rate_table *rate_table_create(const struct hash_key *key);
void rate_table_destroy(struct rate_table *table);

/* As token_bucket_take, for `who` under the rate that has this index. True as well when
 * out of memory: nobody is held back for it. */
bool rate_table_take(struct rate_table *table, size_t index, struct slice who,
                     const struct token_rate *rate, uint64_t now_ms);

#endif

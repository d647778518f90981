/*
 * A token bucket: so many in a while, saved up to one such while. Time is an argument,
 * all arithmetic is in whole numbers. Pure.
 */
#ifndef PROTO_TOKEN_BUCKET_H
#define PROTO_TOKEN_BUCKET_H

#include "proto/slice.h"
#include "proto/status.h"

/* `count` in each `window_ms`; count 0: no limit. */
struct token_rate {
    uint64_t count;
    uint64_t window_ms;
};

struct token_bucket {
    uint64_t debt; /* what was taken and has not come back: window_ms each */
    uint64_t seen_ms;
};

/*
 * "5000/s", "10/5s", "100/1m", or "off" for no limit. ST_BAD_PAYLOAD sets `*reason` to a
 * string literal to stand after the name of the setting.
 */
enum status token_rate_parse(struct slice text, struct token_rate *rate,
                             const char **reason);

/* A zeroed bucket is full. False: it is empty, and nothing was taken. */
bool token_bucket_take(struct token_bucket *bucket, const struct token_rate *rate,
                       uint64_t now_ms);
/* Whether forgetting it would change nothing. */
bool token_bucket_is_full(const struct token_bucket *bucket,
                          const struct token_rate *rate, uint64_t now_ms);

#endif

/* Token buckets: see the header. */
#include "proto/token_bucket.h"

#include "proto/units.h"

enum {
    MAX_COUNT = 1000000,
    MAX_WINDOW_MS = 60 * 60 * 1000, /* count * window_ms stays far below 2^64 */
};

enum status token_rate_parse(struct slice text, struct token_rate *rate,
                             const char **reason)
{
    struct slice count, window;

    *reason = "must be a number and a time, for instance 5000/s or 10/5s, or off";
    *rate = (struct token_rate){0};
    if (slice_is(text, "off"))
        return ST_OK;
    if (!slice_cut(text, '/', &count, &window) || !slice_to_u64(count, &rate->count) ||
        rate->count == 0 || rate->count > MAX_COUNT)
        return ST_BAD_PAYLOAD;
    rate->window_ms = 1000;
    if (slice_is(window, "s"))
        return ST_OK;

    const char *ignored;
    if (units_parse_duration(window, &rate->window_ms, &ignored) ||
        rate->window_ms == 0 || rate->window_ms > MAX_WINDOW_MS)
        return ST_BAD_PAYLOAD;
    return ST_OK;
}

/* What is left of the debt: each millisecond pays back `count`. */
static uint64_t debt_at(const struct token_bucket *bucket, const struct token_rate *rate,
                        uint64_t now_ms)
{
    uint64_t passed = now_ms > bucket->seen_ms ? now_ms - bucket->seen_ms : 0;

    if (passed > rate->window_ms)
        return 0;
    uint64_t paid = passed * rate->count;
    return paid < bucket->debt ? bucket->debt - paid : 0;
}

bool token_bucket_take(struct token_bucket *bucket, const struct token_rate *rate,
                       uint64_t now_ms)
{
    if (rate->count == 0)
        return true;
    uint64_t debt = debt_at(bucket, rate, now_ms) + rate->window_ms;
    if (debt > rate->count * rate->window_ms)
        return false;
    bucket->debt = debt;
    bucket->seen_ms = now_ms;
    return true;
}

bool token_bucket_is_full(const struct token_bucket *bucket,
                          const struct token_rate *rate, uint64_t now_ms)
{
    return debt_at(bucket, rate, now_ms) == 0;
}

/*
 * What a load must have come to: limits, and whether they were kept. Pure.
 */
#ifndef CLI_LOAD_VERDICT_H
#define CLI_LOAD_VERDICT_H

#include "cli/load.h"

enum {
    LOAD_LIMITS_MAX = 16,
    LOAD_VERDICT_BYTES = 400,
    LOAD_TIME_BYTES = 24
};

/* What can be limited. */
struct load_figure {
    const char *name; /* "p95" */
    bool is_time;     /* microseconds; else a count */
    uint64_t (*of)(const struct load_report *report);
};

struct load_limit {
    const struct load_figure *figure;
    uint64_t value;
};

struct load_limits {
    struct load_limit items[LOAD_LIMITS_MAX];
    size_t count;
};

/* Nothing lost, doubled, out of order, refused, failed or closed. */
void load_limits_init(struct load_limits *limits);

/* "p95=200ms,lost=0": adds to the limits, or replaces them. False: `error` is a sentence.
 */
bool load_limits_parse(struct load_limits *limits, struct slice text,
                       char error[DIAL_ERROR_BYTES]);

bool load_limits_are_kept(const struct load_limits *limits,
                          const struct load_report *report);

/* "PASS p95=41ms", or "FAIL p95=412ms > 200ms, lost=3 > 0". */
void load_verdict_print(struct buf *out, const struct load_limits *limits,
                        const struct load_report *report);

/* "412us", "4.1ms", "41ms", "12.3s". */
void load_time_print(uint64_t us, char out[LOAD_TIME_BYTES]);

#endif

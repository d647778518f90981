/*
 * Regular expressions of contracts: the one home of PCRE2. Matching has a ceiling of its
 * own, and takes from the steps of the check that it is a part of.
 */
#ifndef PROTO_CONTRACT_PATTERN_H
#define PROTO_CONTRACT_PATTERN_H

#include "proto/slice.h"
#include "proto/steps.h"

enum pattern_verdict {
    PATTERN_MATCHES,
    PATTERN_DIFFERS,
    PATTERN_TOO_COSTLY /* the ceiling, no more steps, or out of memory */
};

struct contract_pattern;

/* Gives a pattern, or NULL and why not in `reason`. */
struct contract_pattern *contract_pattern_create(struct slice expression,
                                                 char reason[120]);
void contract_pattern_destroy(struct contract_pattern *pattern);

/* Anywhere in `text` (UTF-8). Any thread. */
enum pattern_verdict contract_pattern_match(const struct contract_pattern *pattern,
                                            struct slice text, struct steps *steps);

#endif

/*
 * A ceiling for log lines that peers cause at will: so many in a second, and a count of
 * the others. Plain memory, zeroed; one thread.
 */
#ifndef BRIDGE_LOG_QUOTA_H
#define BRIDGE_LOG_QUOTA_H

#include "bridge/logger.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_QUOTA_LINES = 100,
    LOG_QUOTA_MS = 1000
};

struct log_quota {
    uint64_t began_ms;
    unsigned lines;
    uint64_t withheld; /* since the last log_quota_settle */
};

/* Whether a line may be written now; if not, it is counted. */
bool log_quota_take(struct log_quota *quota, uint64_t now_ms);

/* How many were withheld, once their second is over; 0 before, and when there were none.
 */
uint64_t log_quota_settle(struct log_quota *quota, uint64_t now_ms);

/* As log_quota_take, once a line `told` has said how many were withheld before. */
bool log_quota_lets(struct log_quota *quota, const struct logger *log, const char *told,
                    uint64_t now_ms);

#endif

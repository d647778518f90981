/* So many lines a second: see the header. */
#include "bridge/log_quota.h"

static bool is_over(const struct log_quota *quota, uint64_t now_ms)
{
    return now_ms - quota->began_ms >= LOG_QUOTA_MS;
}

bool log_quota_take(struct log_quota *quota, uint64_t now_ms)
{
    if (is_over(quota, now_ms)) {
        quota->began_ms = now_ms;
        quota->lines = 0;
    }
    if (quota->lines < LOG_QUOTA_LINES) {
        quota->lines++;
        return true;
    }
    quota->withheld++;
    return false;
}

uint64_t log_quota_settle(struct log_quota *quota, uint64_t now_ms)
{
    uint64_t withheld = quota->withheld;

    if (!is_over(quota, now_ms))
        return 0;
    quota->withheld = 0;
    return withheld;
}

bool log_quota_lets(struct log_quota *quota, const struct logger *log, const char *told,
                    uint64_t now_ms)
{
    uint64_t withheld = log_quota_settle(quota, now_ms);

    if (withheld > 0)
        log_warn(log, told, LOG_NUM("count", withheld));
    return log_quota_take(quota, now_ms);
}

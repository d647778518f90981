/* What dialects share: see the header. */
#include "client-gw/services.h"

#include "bridge/clock.h"
#include "proto/json_text.h"

/* What was withheld is told with the next refusal; the metric has them all. */
static void log_refusal(struct client_services *services, enum refusal refusal,
                        const char *hint)
{
    uint64_t now_ms = clock_ms();
    uint64_t withheld = log_quota_settle(&services->refusals, now_ms);

    if (withheld > 0)
        log_warn(services->log, "lines about refused clients withheld",
                 LOG_NUM("count", withheld));
    if (log_quota_take(&services->refusals, now_ms))
        log_info(services->log, "client refused",
                 LOG_TEXT("reason", refusal_reason(refusal)), LOG_TEXT("hint", hint));
}

enum refusal services_verify(struct client_services *services, struct slice token,
                             struct claims **claims, char hint[160])
{
    enum refusal refusal = token_verify(services->keys, token, CLAIMS_CLIENT,
                                        clock_wall_ms() / 1000, claims, hint);

    if (refusal) {
        metrics_add(services->metrics, METRIC_CONNECT_REFUSED, 1);
        log_refusal(services, refusal, hint);
    }
    return refusal;
}

enum status services_refusal_status(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_INACTIVE:
    case REFUSAL_FORBIDDEN: return ST_FORBIDDEN;
    case REFUSAL_UNAVAILABLE: return ST_UNAVAILABLE;
    case REFUSAL_LIMIT: return ST_LIMIT;
    case REFUSAL_MISSING: return ST_UNAUTH;
    default: return ST_BAD_CREDENTIAL;
    }
}

struct buf *services_scratch(struct client_services *services)
{
    buf_clear(&services->scratch);
    return &services->scratch;
}

bool services_decode(struct client_services *services, struct slice json,
                     struct slice *text)
{
    buf_clear(&services->strings);
    char *memory = buf_reserve(&services->strings, json.len);
    if (!memory)
        return false;
    *text = json_string_decode(json, memory);
    return true;
}

void services_finish(struct client_services *services)
{
    buf_finish(&services->scratch);
    buf_finish(&services->strings);
    native_memory_finish(&services->native);
}

/* The proof of a recovery: see the header. */
#include "proto/recovery_proof.h"

static uint64_t higher(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

const char *recovery_reason_text(enum recovery_reason reason)
{
    static const char *const texts[RECOVERY_REASON_COUNT] = {
        [RECOVERY_FINE] = "",
        [RECOVERY_HISTORY_OVERFLOW] = "history_overflow",
        [RECOVERY_EPOCH_CHANGED] = "epoch_changed",
        [RECOVERY_UNKNOWN_SESSION] = "unknown_session",
        [RECOVERY_EXPIRED] = "expired",
        [RECOVERY_FORBIDDEN] = "forbidden",
        [RECOVERY_BUS_DOWN] = "bus_down",
    };

    return texts[reason];
}

enum recovery_verdict recovery_judge(const struct recovery_facts *facts,
                                     enum recovery_reason *reason)
{
    *reason = RECOVERY_FINE;
    if (facts->session_epoch != facts->log_epoch ||
        (facts->has_offset && facts->offset.epoch != facts->log_epoch)) {
        *reason = RECOVERY_EPOCH_CHANGED;
        return RECOVERY_LOST;
    }
    uint64_t seen = higher(recovery_from(facts), facts->last_joined);
    if (facts->applied >= seen)
        return RECOVERY_GO;
    if (!facts->is_late)
        return RECOVERY_WAIT;
    if (!facts->is_ready)
        return RECOVERY_PUT_OFF;
    *reason = RECOVERY_EPOCH_CHANGED; /* a place that this log has never come to */
    return RECOVERY_LOST;
}

uint64_t recovery_from(const struct recovery_facts *facts)
{
    return higher(facts->has_offset ? facts->offset.seq : 0, facts->proven);
}

uint64_t recovery_base(uint64_t from, uint64_t joined)
{
    return higher(from, joined);
}

bool recovery_is_complete(uint64_t base, uint64_t after, uint64_t mark)
{
    return mark <= higher(base, after);
}

enum recovery_page recovery_judge_page(const struct position *after, uint64_t epoch,
                                       uint64_t mark)
{
    if (epoch != after->epoch)
        return RECOVERY_PAGE_OTHER;
    return mark <= after->seq ? RECOVERY_PAGE_WHOLE : RECOVERY_PAGE_GONE;
}

void recovery_pinged(struct recovery_reach *reach, uint64_t sent)
{
    reach->pinged = sent;
}

bool recovery_ponged(struct recovery_reach *reach)
{
    bool is_more = reach->pinged > reach->proven;

    if (is_more)
        reach->proven = reach->pinged;
    reach->pinged = 0;
    return is_more;
}

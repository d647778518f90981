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

/* Of this session: one from before it says that the client has heard nothing since. */
static bool has_place(const struct recovery_facts *facts)
{
    bool is_before = facts->keeps_offset && facts->session_epoch &&
                     facts->offset.epoch != facts->session_epoch;

    return facts->has_offset && !is_before;
}

/* Whether what the client knows, and what is known of it, are of the log as it is. */
static bool is_of_this_log(const struct recovery_facts *facts,
                           enum recovery_reason *reason)
{
    bool is_here = facts->has_offset && facts->offset.epoch == facts->log_epoch;

    *reason = RECOVERY_EPOCH_CHANGED;
    if (facts->session_epoch)
        return facts->session_epoch == facts->log_epoch && (!has_place(facts) || is_here);
    if (is_here)
        *reason = RECOVERY_HISTORY_OVERFLOW;
    return is_here && facts->offset.seq >= facts->proven;
}

/* A place that this log has never come to is LOST. */
static enum recovery_verdict judge_place(const struct recovery_facts *facts,
                                         uint64_t seen)
{
    if (facts->applied >= seen)
        return RECOVERY_GO;
    if (!facts->is_late)
        return RECOVERY_WAIT;
    return facts->is_ready ? RECOVERY_LOST : RECOVERY_PUT_OFF;
}

enum recovery_verdict recovery_judge(const struct recovery_facts *facts,
                                     enum recovery_reason *reason)
{
    if (!is_of_this_log(facts, reason))
        return RECOVERY_LOST;
    enum recovery_verdict verdict =
        judge_place(facts, higher(recovery_from(facts), facts->last_joined));
    *reason = verdict == RECOVERY_LOST ? RECOVERY_EPOCH_CHANGED : RECOVERY_FINE;
    return verdict;
}

enum recovery_verdict recovery_judge_new(const struct recovery_facts *facts)
{
    bool is_kept = facts->keeps_offset && facts->has_offset &&
                   facts->offset.epoch == facts->log_epoch;
    enum recovery_verdict verdict = judge_place(facts, is_kept ? facts->offset.seq : 0);

    return verdict == RECOVERY_LOST ? RECOVERY_GO : verdict; /* there is no such place */
}

uint64_t recovery_from(const struct recovery_facts *facts)
{
    return higher(has_place(facts) ? facts->offset.seq : 0, facts->proven);
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
    if (reach->out++ > 0)
        return;
    reach->pinged = sent;
    reach->is_pinged = true;
}

bool recovery_ponged(struct recovery_reach *reach)
{
    bool is_more =
        reach->is_pinged && (reach->is_unsure || reach->pinged > reach->proven);

    if (reach->out > 0)
        reach->out--;
    if (is_more)
        reach->proven = higher(reach->proven, reach->pinged);
    if (reach->is_pinged)
        reach->is_unsure = false;
    reach->is_pinged = false;
    return is_more;
}

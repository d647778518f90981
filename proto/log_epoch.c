/* The epoch's rule: see the header. */
#include "proto/log_epoch.h"

#include <string.h>

enum log_verdict log_epoch_judge(const struct log_testimony *testimony,
                                 const struct log_findings *findings,
                                 const unsigned char boot_id[LOG_BOOT_ID_BYTES])
{
    if (findings->is_damaged)
        return LOG_IS_DAMAGED;
    if (findings->epoch == 0)
        return LOG_IS_NEW;
    if (testimony->denied_epoch == findings->epoch)
        return LOG_IS_DAMAGED;
    if (testimony->epoch != findings->epoch)
        return LOG_HAS_NO_WITNESS;
    if (findings->head < testimony->head)
        return LOG_LACKS_EVENTS;
    if (testimony->is_clean || testimony->is_synced ||
        memcmp(testimony->boot_id, boot_id, LOG_BOOT_ID_BYTES) == 0)
        return LOG_GOES_ON;
    return LOG_MACHINE_FAILED;
}

const char *log_verdict_text(enum log_verdict verdict)
{
    static const char *const texts[LOG_VERDICTS] = {
        [LOG_GOES_ON] = "the log goes on",
        [LOG_IS_NEW] = "the log is new",
        [LOG_IS_DAMAGED] = "the log is damaged",
        [LOG_HAS_NO_WITNESS] = "the witness file is missing or of another log",
        [LOG_LACKS_EVENTS] = "the log has lost its last events",
        [LOG_MACHINE_FAILED] = "the machine went down while the log was open",
    };

    return texts[verdict];
}

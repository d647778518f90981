/*
 * May the log go on in its epoch? Only if nobody can have seen a seq that it does not
 * have: after a clean stop, on the same boot, or when each commit was on the disk before
 * anybody saw it, and it reaches as far as the witness saw it. A decision, no state.
 */
#ifndef PROTO_LOG_EPOCH_H
#define PROTO_LOG_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_BOOT_ID_BYTES = 16,
};

/* What the witness file says; all zero when it says nothing that can be believed, but
 * for the denial. */
struct log_testimony {
    uint64_t epoch;
    uint64_t head;  /* the last seq that the log was seen to have */
    bool is_clean;  /* everything was on the disk when it was closed */
    bool is_synced; /* everything was on the disk before anybody saw it */
    unsigned char boot_id[LOG_BOOT_ID_BYTES];
    uint64_t denied_epoch; /* the log of this one was found damaged by who used it */
};

/* What the log itself has. */
struct log_findings {
    uint64_t epoch; /* 0: it is new */
    uint64_t head;
    bool is_damaged; /* a row is wrong or missing, or it cannot be read */
};

enum log_verdict {
    LOG_GOES_ON,
    LOG_IS_NEW,
    LOG_IS_DAMAGED,
    LOG_HAS_NO_WITNESS,
    LOG_LACKS_EVENTS,   /* the witness saw more */
    LOG_MACHINE_FAILED, /* it was open, and not synced, when the machine went down */
    LOG_VERDICTS
};

enum log_verdict log_epoch_judge(const struct log_testimony *testimony,
                                 const struct log_findings *findings,
                                 const unsigned char boot_id[LOG_BOOT_ID_BYTES]);

/* A sentence for the operator about why there is a new epoch. */
const char *log_verdict_text(enum log_verdict verdict);

#endif

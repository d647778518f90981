/*
 * Idempotency: which ids callers gave lately, and what they were answered. An id is new,
 * in flight until it is kept or forgotten, then known for the window. Ids are global: not
 * per key, not per room; those of users have their user in them. Loop thread only; time
 * comes as an argument (monotonic ms).
 *
 * An entry takes 80 bytes whatever the id's length: of an id only 128 bits of a SHA-256
 * are held, so that equal digests mean equal ids, also after a restart: what the log kept
 * beside its events is put back (idempotency_restore).
 */
#ifndef PUBLISHER_API_IDEMPOTENCY_H
#define PUBLISHER_API_IDEMPOTENCY_H

#include "bridge/metrics.h"
#include "proto/log_key.h"
#include "proto/position.h"

enum {
    IDEMPOTENCY_MAX_IDS = 1000000
};

struct idempotency;

/* What does not follow from the repeated body itself. */
struct idempotency_answer {
    struct position position;
    uint32_t recipients;
    bool has_recipients;
    bool complete;
};

struct idempotency_config {
    struct metrics *metrics; /* keeps */
    uint64_t window_ms;
    size_t max_ids; /* at most IDEMPOTENCY_MAX_IDS; beyond it the oldest go first */
};

/* Gives a table (idempotency_destroy), or NULL when out of memory. */
struct idempotency *idempotency_create(const struct idempotency_config *config);
void idempotency_destroy(struct idempotency *table);

/*
 * Of `key` the two digests count. ST_OK: either the id is new and in flight from now on
 * (`*known` false), and `*ticket` is handed to idempotency_keep or idempotency_forget; or
 * it was kept with the same body (`*known` true) and `*first` is what was answered.
 * ST_CONFLICT: in flight. ST_ID_REUSED: kept with another body. ST_BUSY: the table is
 * full of ids in flight. ST_NO_MEMORY.
 */
enum status idempotency_begin(struct idempotency *table, const struct log_key *key,
                              uint64_t now_ms, uint32_t *ticket, bool *known,
                              struct idempotency_answer *first);

/* Each ticket once, to one of them. */
void idempotency_keep(struct idempotency *table, uint32_t ticket,
                      const struct idempotency_answer *answer);
void idempotency_forget(struct idempotency *table, uint32_t ticket);

/* An id that was kept `age_ms` ago, before this start. The oldest come first, and all of
 * them before the first idempotency_begin. */
void idempotency_restore(struct idempotency *table, const struct log_key *key,
                         const struct position *position, uint64_t age_ms,
                         uint64_t now_ms);

size_t idempotency_count(const struct idempotency *table);

#endif

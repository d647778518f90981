/*
 * Idempotency: which ids callers gave lately, and what they were answered. An id is new,
 * in flight until it is kept or forgotten, then known for the window. Ids are global: not
 * per key, not per room; those of users have their user in them. Loop thread only; time
 * comes as an argument (monotonic ms).
 *
 * An entry takes 80 bytes whatever the id's length: of an id only 128 bits of a keyed
 * hash are held, whose key nobody outside knows, so equal hashes mean equal ids.
 */
#ifndef PUBLISHER_API_IDEMPOTENCY_H
#define PUBLISHER_API_IDEMPOTENCY_H

#include "bridge/digest.h"
#include "bridge/metrics.h"
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
 * ST_OK: either the id is new and in flight from now on (`*known` false), and `*ticket`
 * is handed to idempotency_keep or idempotency_forget; or it was kept with the same body
 * (`*known` true) and `*first` is what was answered.
 * ST_CONFLICT: in flight. ST_ID_REUSED: kept with another body. ST_BUSY: the table is
 * full of ids in flight. ST_NO_MEMORY.
 */
enum status idempotency_begin(struct idempotency *table, struct slice id,
                              const unsigned char body[DIGEST_SHA256_BYTES],
                              uint64_t now_ms, uint32_t *ticket, bool *known,
                              struct idempotency_answer *first);

/* Each ticket once, to one of them. */
void idempotency_keep(struct idempotency *table, uint32_t ticket,
                      const struct idempotency_answer *answer);
void idempotency_forget(struct idempotency *table, uint32_t ticket);

size_t idempotency_count(const struct idempotency *table);

#endif

/*
 * Acks that we ask a client for: which answers it owes, and until when. One table for
 * each session, so that only who was asked may answer, once, and in time; any other ack
 * is nobody's and ignored. It has a ceiling: beyond it the oldest is forgotten, and goes
 * with the session. Loop thread.
 */
#ifndef CLIENT_GW_ACKS_H
#define CLIENT_GW_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ack_due {
    uint64_t id;
    uint64_t until_ms;
};

/* Start zeroed; acks_finish. */
struct acks {
    struct ack_due *due; /* in the order in which they were asked for */
    uint16_t count, cap;
};

/* `id` is one that this table was not asked for before. Out of memory, the answer will be
 * ignored. `max` is at least 1. */
void acks_ask(struct acks *acks, size_t max, const struct ack_due *asked,
              uint64_t now_ms);

/* Whether it was asked for, is not too late, and came for the first time. */
bool acks_answer(struct acks *acks, uint64_t id, uint64_t now_ms);

void acks_finish(struct acks *acks);

#endif

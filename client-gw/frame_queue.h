/*
 * Frames that wait, in order: a connection's outbox, and what a session holds back until
 * it is open. Holds references, never copies. The ceilings are the caller's to name. Loop
 * thread.
 */
#ifndef CLIENT_GW_FRAME_QUEUE_H
#define CLIENT_GW_FRAME_QUEUE_H

#include "client-gw/frame.h"
#include "proto/status.h"

enum {
    FRAME_QUEUE_FEW = 4, /* held without a heap block; a power of two */
};

struct frame_limits {
    size_t bytes;
    size_t frames;
};

/* Start zeroed; frame_queue_finish. */
struct frame_queue {
    struct frame *few[FRAME_QUEUE_FEW];
    struct frame **many; /* a ring of `room` once the few do not do */
    uint32_t room, head, count;
    size_t bytes;
};

/* Shares `frame`. ST_LIMIT (a ceiling is reached) and ST_NO_MEMORY change nothing. */
enum status frame_queue_push(struct frame_queue *queue, const struct frame_limits *limits,
                             struct frame *frame);

/* The i-th waiting frame; i < count. */
static inline struct frame *frame_queue_at(const struct frame_queue *queue, uint32_t i)
{
    return queue->many ? queue->many[(queue->head + i) & (queue->room - 1)]
                       : queue->few[(queue->head + i) & (FRAME_QUEUE_FEW - 1)];
}

/* Drops the first `n` references; n ≤ count. */
void frame_queue_shift(struct frame_queue *queue, uint32_t n);

/* Drops everything and the memory. */
void frame_queue_finish(struct frame_queue *queue);

#endif

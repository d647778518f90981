/* Rings of frame references: see the header. */
#include "client-gw/frame_queue.h"

#include <assert.h>
#include <stdlib.h>

enum {
    FIRST_ROOM = 32, /* a power of two, as all that follow */
    KEPT_ROOM = 256, /* a ring that grew past this is given back once it is empty */
};

static struct frame **slots(struct frame_queue *queue)
{
    return queue->many ? queue->many : queue->few;
}

static uint32_t slot_count(const struct frame_queue *queue)
{
    return queue->many ? queue->room : FRAME_QUEUE_FEW;
}

static uint32_t slot_of(const struct frame_queue *queue, uint32_t i)
{
    return (queue->head + i) & (slot_count(queue) - 1);
}

static enum status grow(struct frame_queue *queue)
{
    uint32_t room = queue->many ? queue->room * 2 : FIRST_ROOM;
    struct frame **ring = malloc(room * sizeof *ring);

    if (!ring)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < queue->count; i++)
        ring[i] = frame_queue_at(queue, i);
    free(queue->many);
    queue->many = ring;
    queue->room = room;
    queue->head = 0;
    return ST_OK;
}

enum status frame_queue_push(struct frame_queue *queue, const struct frame_limits *limits,
                             struct frame *frame)
{
    size_t size = frame_wire(frame).len;

    if (queue->count >= limits->frames || size > limits->bytes ||
        queue->bytes > limits->bytes - size)
        return ST_LIMIT;
    if (queue->count == slot_count(queue)) {
        enum status st = grow(queue);
        if (st)
            return st;
    }
    slots(queue)[slot_of(queue, queue->count)] = frame_share(frame);
    queue->count++;
    queue->bytes += size;
    return ST_OK;
}

void frame_queue_shift(struct frame_queue *queue, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct frame *frame = frame_queue_at(queue, 0);
        queue->bytes -= frame_wire(frame).len;
        queue->head = slot_of(queue, 1);
        queue->count--;
        frame_drop(frame);
    }
    if (queue->count == 0 && queue->room > KEPT_ROOM) {
        assert(queue->bytes == 0);
        free(queue->many);
        queue->many = NULL;
        queue->room = 0;
        queue->head = 0;
    }
}

void frame_queue_finish(struct frame_queue *queue)
{
    frame_queue_shift(queue, queue->count);
    free(queue->many);
    *queue = (struct frame_queue){0};
}

/* Connections: see the header. */
#include "sim/recovery/line.h"

bool line_put(struct line_queue *queue, const struct line_frame *frame)
{
    if (queue->count == LINE_FRAMES)
        return false;
    queue->frames[(queue->first + queue->count++) % LINE_FRAMES] = *frame;
    return true;
}

bool line_take(struct line_queue *queue, struct line_frame *frame)
{
    if (queue->count == 0)
        return false;
    *frame = queue->frames[queue->first];
    queue->first = (queue->first + 1) % LINE_FRAMES;
    queue->count--;
    return true;
}

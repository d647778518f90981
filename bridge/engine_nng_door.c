/* A guarded inbox: see the header. */
#include "bridge/engine_nng_door.h"

enum status door_open(struct door *door, uv_loop_t *loop, size_t max_bytes,
                      unsigned max_per_turn)
{
    if (uv_mutex_init(&door->lock))
        return ST_NO_MEMORY;
    door->inbox = inbox_create(loop, max_bytes, max_per_turn);
    return door->inbox ? ST_OK : ST_NO_MEMORY;
}

enum status door_put(struct door *door, struct inbox_item *item)
{
    enum status st = ST_DRAINING;

    uv_mutex_lock(&door->lock);
    if (door->inbox) {
        inbox_put(door->inbox, item);
        st = ST_OK;
    }
    uv_mutex_unlock(&door->lock);
    return st;
}

enum status door_offer(struct door *door, struct inbox_item *item)
{
    enum status st = ST_DRAINING;

    uv_mutex_lock(&door->lock);
    if (door->inbox)
        st = inbox_offer(door->inbox, item);
    uv_mutex_unlock(&door->lock);
    return st;
}

void door_shut(struct door *door)
{
    uv_mutex_lock(&door->lock);
    struct inbox *inbox = door->inbox;
    door->inbox = NULL;
    uv_mutex_unlock(&door->lock);
    inbox_destroy(inbox);
}

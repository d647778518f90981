/*
 * The inbox: see the header. Two lists: `arrived` is shared and under the lock; `ready`
 * belongs to the loop thread, which moves all that has arrived there at once. So the lock
 * is taken once per batch, and an item that destroys the inbox while it runs does no
 * harm: the memory goes when the loop has closed the handle.
 */
#include "bridge/inbox.h"

#include <stdatomic.h>
#include <stdlib.h>

struct item_list {
    struct inbox_item *first;
    struct inbox_item **end;
};

struct inbox {
    uv_async_t wake;
    uv_mutex_t lock;
    struct item_list arrived; /* under the lock */
    struct item_list ready;   /* loop thread */
    atomic_size_t waiting_bytes;
    size_t max_bytes;
    unsigned max_per_turn;
};

static void list_clear(struct item_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct item_list *list, struct inbox_item *item)
{
    item->next = NULL;
    *list->end = item;
    list->end = &item->next;
}

static struct inbox_item *list_take(struct item_list *list)
{
    struct inbox_item *item = list->first;

    if (item) {
        list->first = item->next;
        if (!list->first)
            list->end = &list->first;
    }
    return item;
}

/* Loop thread: the next item in order, or NULL. */
static struct inbox_item *next_item(struct inbox *inbox)
{
    if (!inbox->ready.first) {
        uv_mutex_lock(&inbox->lock);
        if (inbox->arrived.first) {
            inbox->ready = inbox->arrived;
            list_clear(&inbox->arrived);
        }
        uv_mutex_unlock(&inbox->lock);
    }

    struct inbox_item *item = list_take(&inbox->ready);
    if (item)
        atomic_fetch_sub_explicit(&inbox->waiting_bytes, item->size_bytes,
                                  memory_order_relaxed);
    return item;
}

static void on_wake(uv_async_t *wake)
{
    struct inbox *inbox = wake->data;

    for (unsigned i = 0; i < inbox->max_per_turn; i++) {
        struct inbox_item *item = next_item(inbox);
        if (!item)
            return;
        item->run(item);
    }

    /* A put into a list that was not empty wakes nobody: this turn must ask for the next.
     */
    if (!uv_is_closing((uv_handle_t *)wake))
        uv_async_send(wake);
}

struct inbox *inbox_create(uv_loop_t *loop, size_t max_bytes, unsigned max_per_turn)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);

    if (!inbox)
        return NULL;
    if (uv_mutex_init(&inbox->lock)) {
        free(inbox);
        return NULL;
    }
    if (uv_async_init(loop, &inbox->wake, on_wake)) {
        uv_mutex_destroy(&inbox->lock);
        free(inbox);
        return NULL;
    }
    inbox->wake.data = inbox;
    list_clear(&inbox->arrived);
    list_clear(&inbox->ready);
    inbox->max_bytes = max_bytes;
    inbox->max_per_turn = max_per_turn;
    return inbox;
}

void inbox_put(struct inbox *inbox, struct inbox_item *item)
{
    atomic_fetch_add_explicit(&inbox->waiting_bytes, item->size_bytes,
                              memory_order_relaxed);

    uv_mutex_lock(&inbox->lock);
    bool was_empty = !inbox->arrived.first;
    list_add(&inbox->arrived, item);
    uv_mutex_unlock(&inbox->lock);

    if (was_empty)
        uv_async_send(&inbox->wake);
}

enum status inbox_offer(struct inbox *inbox, struct inbox_item *item)
{
    size_t waiting = atomic_load_explicit(&inbox->waiting_bytes, memory_order_relaxed);

    /* An item above the ceiling is taken when it is alone: it could never pass else. */
    if (waiting > 0 && waiting + item->size_bytes > inbox->max_bytes)
        return ST_BUSY;
    inbox_put(inbox, item);
    return ST_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct inbox *inbox = handle->data;

    uv_mutex_destroy(&inbox->lock);
    free(inbox);
}

void inbox_destroy(struct inbox *inbox)
{
    struct inbox_item *item;

    if (!inbox)
        return;
    while ((item = next_item(inbox)))
        item->drop(item);
    uv_close((uv_handle_t *)&inbox->wake, on_closed);
}

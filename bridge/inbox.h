/*
 * The one place where other threads meet the loop thread: a queue of items that run on
 * the loop, in the order they were put. At most a bounded number runs per wake-up, so
 * that a flood cannot keep the loop from its sockets; what waits goes on in the next
 * turn.
 */
#ifndef BRIDGE_INBOX_H
#define BRIDGE_INBOX_H

#include "proto/status.h"

#include <stddef.h>
#include <uv.h>

/* Embedded in whatever is handed over. `run` takes the item (it frees what it is embedded
 * in). */
struct inbox_item {
    struct inbox_item *next;
    void (*run)(struct inbox_item *item);
    void (*drop)(
        struct inbox_item *item); /* instead of run, when the inbox is destroyed first */
    size_t size_bytes;            /* what it counts against the ceiling */
};

struct inbox;

/* Loop thread. Gives an inbox (inbox_destroy), or NULL. */
struct inbox *inbox_create(uv_loop_t *loop, size_t max_bytes, unsigned max_per_turn);

/* Any thread; takes the item. Never refused: for answers, whose number the asker bounds.
 */
void inbox_put(struct inbox *inbox, struct inbox_item *item);

/* Any thread. ST_OK takes the item; ST_BUSY when more than max_bytes wait: it is still
 * the caller's. */
enum status inbox_offer(struct inbox *inbox, struct inbox_item *item);

/* Loop thread, once no other thread puts any more: drops what waits. */
void inbox_destroy(struct inbox *inbox);

#endif

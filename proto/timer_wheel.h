/*
 * A hashed timer wheel for deadlines of which there are tens of thousands: setting,
 * moving and cancelling are O(1), and nothing is allocated. Time is an argument, in
 * milliseconds of any clock that does not go back. One thread.
 */
#ifndef PROTO_TIMER_WHEEL_H
#define PROTO_TIMER_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIMER_TICK_MS = 8,
    TIMER_SLOTS = 4096, /* one turn: 32 s; a later deadline is passed by once a turn */
};

/* Lives inside what it watches. Zeroed, it is not armed. */
struct timer_node {
    struct timer_node *prev, *next; /* both NULL: not armed */
    uint64_t due_ms;
};

/* Armed nodes point into it: it must not move. Nothing needs to be freed. */
struct timer_wheel {
    uint64_t tick;                   /* the last one that has passed */
    size_t count;                    /* armed nodes */
    uint64_t used[TIMER_SLOTS / 64]; /* slots that may hold nodes, as bits */
    struct timer_node slots[TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/*
 * Arms or moves the node; keeps it until it is due or cancelled. It is never due early
 * and at most one tick late (after timer_wheel_advance); a time that has passed is due in
 * the next tick.
 */
void timer_wheel_set(struct timer_wheel *wheel, struct timer_node *node, uint64_t due_ms);
/* Does nothing to a node that is not armed. */
void timer_wheel_cancel(struct timer_wheel *wheel, struct timer_node *node);
bool timer_node_is_armed(const struct timer_node *node);

/*
 * When timer_wheel_advance should run next: never too late, perhaps earlier than anything
 * is due (at most once a turn and deadline). False when nothing is armed.
 */
bool timer_wheel_next(struct timer_wheel *wheel, uint64_t *due_ms);

/*
 * Calls on_due for each node that is due, in the order of their ticks as long as calls
 * are less than a turn apart. The node is not armed any more; the call may set and cancel
 * any node, and free whatever is not armed. What it sets is not due before the next call
 * of timer_wheel_advance.
 */
typedef void timer_due_fn(struct timer_node *node, void *ctx);
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms, timer_due_fn *on_due,
                         void *ctx);

#endif

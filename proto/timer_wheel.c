/* The timer wheel: see the header. */
#include "proto/timer_wheel.h"

static void list_init(struct timer_node *list)
{
    list->prev = list->next = list;
}

static bool list_is_empty(const struct timer_node *list)
{
    return list->next == list;
}

static void list_append(struct timer_node *list, struct timer_node *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static void list_remove(struct timer_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    wheel->tick = now_ms / TIMER_TICK_MS;
    wheel->count = 0;
    for (size_t i = 0; i < TIMER_SLOTS / 64; i++)
        wheel->used[i] = 0;
    for (size_t i = 0; i < TIMER_SLOTS; i++)
        list_init(&wheel->slots[i]);
}

bool timer_node_is_armed(const struct timer_node *node)
{
    return node->next != NULL;
}

void timer_wheel_set(struct timer_wheel *wheel, struct timer_node *node, uint64_t due_ms)
{
    /* Rounded up: never early. */
    uint64_t tick = due_ms / TIMER_TICK_MS + (due_ms % TIMER_TICK_MS != 0);

    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    if (timer_node_is_armed(node))
        list_remove(node);
    else
        wheel->count++;

    size_t slot = tick % TIMER_SLOTS;
    node->due_ms = due_ms;
    list_append(&wheel->slots[slot], node);
    wheel->used[slot / 64] |= UINT64_C(1) << (slot % 64);
}

/* The slot's bit stays: whoever finds the slot empty clears it. */
void timer_wheel_cancel(struct timer_wheel *wheel, struct timer_node *node)
{
    if (!timer_node_is_armed(node))
        return;
    list_remove(node);
    wheel->count--;
}

/* The first tick after `tick`, up to `last`, whose slot holds a node. */
static bool find_used(struct timer_wheel *wheel, uint64_t *tick, uint64_t last)
{
    for (uint64_t at = *tick + 1; at <= last;) {
        size_t slot = at % TIMER_SLOTS;
        uint64_t bits = wheel->used[slot / 64] >> (slot % 64);
        if (bits == 0) {
            at += 64 - slot % 64;
            continue;
        }
        unsigned skipped = (unsigned)__builtin_ctzll(bits);
        at += skipped;
        slot += skipped;
        if (at > last)
            return false;
        if (!list_is_empty(&wheel->slots[slot])) {
            *tick = at;
            return true;
        }
        wheel->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
    return false;
}

bool timer_wheel_next(struct timer_wheel *wheel, uint64_t *due_ms)
{
    uint64_t tick = wheel->tick;

    if (wheel->count == 0 || !find_used(wheel, &tick, wheel->tick + TIMER_SLOTS))
        return false;
    *due_ms = tick * TIMER_TICK_MS;
    return true;
}

/* Moves the nodes of a slot that are due by `now_tick` to `due`. */
static void collect(struct timer_node *slot, uint64_t now_tick, struct timer_node *due)
{
    struct timer_node *next;

    for (struct timer_node *node = slot->next; node != slot; node = next) {
        next = node->next;
        if (node->due_ms <= now_tick * TIMER_TICK_MS) {
            list_remove(node);
            list_append(due, node);
        }
    }
}

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms, timer_due_fn *on_due,
                         void *ctx)
{
    uint64_t now_tick = now_ms / TIMER_TICK_MS;
    uint64_t tick = wheel->tick;
    struct timer_node due;

    if (now_tick <= wheel->tick)
        return;

    /* After a long sleep one turn sees every slot. */
    uint64_t last = now_tick - tick < TIMER_SLOTS ? now_tick : tick + TIMER_SLOTS;
    wheel->tick = now_tick;
    if (wheel->count == 0)
        return;
    list_init(&due);
    while (find_used(wheel, &tick, last))
        collect(&wheel->slots[tick % TIMER_SLOTS], now_tick, &due);

    /* Still counted as armed until its turn: a call may cancel or move any of them. */
    while (!list_is_empty(&due)) {
        struct timer_node *node = due.next;
        timer_wheel_cancel(wheel, node);
        on_due(node, ctx);
    }
}

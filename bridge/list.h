/*
 * A ring of nodes that lie inside their items, as first member: an item is in one list at
 * a time, and leaves it without a search. A zeroed node is in none.
 */
#ifndef BRIDGE_LIST_H
#define BRIDGE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev;
    struct list_node *next;
};

static inline void list_init(struct list_node *list)
{
    list->prev = list;
    list->next = list;
}

static inline bool list_is_empty(const struct list_node *list)
{
    return list->next == list;
}

/* Lends the oldest node, or NULL. */
static inline struct list_node *list_first(const struct list_node *list)
{
    /* The analyzer does not see that a node has left its ring before it is freed.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    return list_is_empty(list) ? NULL : list->next;
}

/* Lends the youngest node, or NULL. */
static inline struct list_node *list_last(const struct list_node *list)
{
    return list_is_empty(list) ? NULL : list->prev;
}

/* Leaves the list it is in, if any. */
static inline void list_remove(struct list_node *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = NULL;
    node->next = NULL;
}

/* Keeps `node`, as the last of `list`, until it is removed. */
static inline void list_append(struct list_node *list, struct list_node *node)
{
    list_remove(node);
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

#endif

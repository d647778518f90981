/*
 * Users by name, each in the list that says what happens next: see the header.
 *
 * A list is in the order of its deadlines: what comes later waits longer. Those that a
 * start looks for wait for something else than those that left since, and what was not
 * kept for something else again, so they have lists of their own.
 */
#include "publisher-api/presence_table.h"

#include "bridge/list.h"
#include "bridge/str_map.h"

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_MS = 500,
};

enum presence_list {
    LIST_COMING,  /* are here, to be told */
    LIST_GOING,   /* are away, to be told */
    LIST_MISSING, /* the same, since before this start */
    LIST_AGAIN,   /* to be told once more: it was not kept */
    LIST_AWAY,    /* nothing is to be told: the first was seen the longest ago */
    LISTS
};

/* In a list, under way, or here with nothing to be told. */
struct presence_user {
    struct list_node node;
    struct slice name; /* the map's; its bytes follow the struct */
    uint64_t due_ms;
    int64_t seen_ms; /* when the last session ended, or that was noted */
    bool is_here;
    bool is_said;      /* to be here */
    bool is_under_way; /* the opposite of is_said is being kept */
    bool was_here;     /* when this start began: nothing is said */
};

struct presence_table {
    struct presence_limits limits;
    struct str_map by_name;
    struct list_node lists[LISTS];
    presence_forget_fn *on_forget;
    void *ctx;
    size_t here_count, away_count;
    bool is_rebuilding; /* from the beginning on */
    bool has_begun;     /* the first rebuilding is over */
    bool knows_before;  /* there were notes */
};

struct presence_table *presence_table_create(const struct presence_limits *limits,
                                             const struct hash_key *key,
                                             presence_forget_fn *on_forget, void *ctx)
{
    struct presence_table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    table->limits = *limits;
    table->on_forget = on_forget;
    table->ctx = ctx;
    table->is_rebuilding = true;
    str_map_init(&table->by_name, key, LIMIT_DIRECTORY_SESSIONS + limits->max_away);
    for (int i = 0; i < LISTS; i++)
        list_init(&table->lists[i]);
    return table;
}

void presence_table_destroy(struct presence_table *table)
{
    struct presence_user *user;

    if (!table)
        return;
    for (size_t cursor = 0; (user = str_map_next(&table->by_name, &cursor));)
        free(user);
    str_map_finish(&table->by_name);
    free(table);
}

static struct presence_user *first_of(const struct presence_table *table,
                                      enum presence_list list)
{
    return (struct presence_user *)list_first(&table->lists[list]);
}

static void unlist(struct presence_table *table, struct presence_user *user)
{
    bool is_away = user->node.next && !user->is_here && !user->is_said;

    table->away_count -= is_away;
    list_remove(&user->node);
}

static void forget(struct presence_table *table, struct presence_user *user)
{
    unlist(table, user);
    table->on_forget(table->ctx, user->name);
    str_map_remove(&table->by_name, user->name);
    free(user);
}

static void forget_beyond(struct presence_table *table)
{
    while (table->away_count > table->limits.max_away)
        forget(table, first_of(table, LIST_AWAY));
}

/* Where the user belongs, as things are; due when anything is to be told. May free it. */
static void place(struct presence_table *table, struct presence_user *user,
                  uint64_t due_ms)
{
    enum presence_list list = LIST_AWAY;

    user->due_ms = due_ms;
    if (user->is_under_way || (user->is_here && user->is_said))
        return;
    if (user->is_here)
        list = LIST_COMING;
    else if (user->is_said)
        list = table->has_begun ? LIST_GOING : LIST_MISSING;
    list_append(&table->lists[list], &user->node);
    table->away_count += list == LIST_AWAY;
    forget_beyond(table);
}

static struct presence_user *add_user(struct presence_table *table, struct slice name)
{
    struct presence_user *user = calloc(1, sizeof *user + name.len);

    if (!user)
        return NULL;
    user->name = (struct slice){memcpy(user + 1, name.ptr, name.len), name.len};
    if (!str_map_put(&table->by_name, user->name, user))
        return user;
    free(user);
    return NULL;
}

/* How long who was here before this start may take. */
static uint64_t missing_ms(const struct presence_limits *limits)
{
    return limits->grace_ms < limits->return_ms ? limits->return_ms : limits->grace_ms;
}

/* Nobody in the list waits longer: it stays in order. */
static void hasten(struct presence_table *table, enum presence_list list, uint64_t due_ms)
{
    struct list_node *head = &table->lists[list];

    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct presence_user *user = (struct presence_user *)node;
        if (user->due_ms > due_ms)
            user->due_ms = due_ms;
    }
}

void presence_table_limit(struct presence_table *table,
                          const struct presence_limits *limits, uint64_t now_ms)
{
    table->limits = *limits;
    hasten(table, LIST_GOING, now_ms + limits->grace_ms);
    hasten(table, LIST_MISSING, now_ms + missing_ms(limits));
    str_map_limit(&table->by_name, LIMIT_DIRECTORY_SESSIONS + limits->max_away);
    forget_beyond(table);
}

/* --- before this start --- */

void presence_table_restore(struct presence_table *table, struct slice name,
                            const struct presence_note *note)
{
    struct presence_user *user =
        str_map_find(&table->by_name, name) ? NULL : add_user(table, name);

    table->knows_before = true;
    if (!user)
        return;
    user->is_said = note->is_online;
    user->seen_ms = note->seen_ms;
    place(table, user, 0);
}

void presence_table_restored(struct presence_table *table, int64_t true_ms)
{
    struct list_node *missing = &table->lists[LIST_MISSING];

    table->knows_before |= true_ms > 0;
    for (struct list_node *node = missing->next; node != missing; node = node->next) {
        struct presence_user *user = (struct presence_user *)node;
        if (user->seen_ms < true_ms)
            user->seen_ms = true_ms;
    }
}

/* --- what the directory says --- */

void presence_table_user(struct presence_table *table, struct slice nsp, struct slice who,
                         bool is_here, uint64_t now_ms, int64_t wall_ms)
{
    char bytes[PRESENCE_NOTE_NAME_BYTES];
    struct slice name = presence_note_name(bytes, nsp, who);
    struct presence_user *user = str_map_find(&table->by_name, name);

    if (!user && is_here && name.len > 0)
        user = add_user(table, name);
    if (!user || user->is_here == is_here)
        return;
    unlist(table, user);
    user->is_here = is_here;
    table->here_count += is_here ? 1 : (size_t)-1;
    user->was_here &= is_here;
    if (!is_here)
        user->seen_ms = wall_ms;
    else if (!table->has_begun && !table->knows_before)
        user->was_here = true;
    place(table, user, is_here ? now_ms : now_ms + table->limits.grace_ms);
}

/* The directory is complete for the first time: who is missing may take a while. */
static void begin(struct presence_table *table, uint64_t now_ms)
{
    struct list_node *missing = &table->lists[LIST_MISSING];
    uint64_t wait_ms = missing_ms(&table->limits);

    table->has_begun = true;
    for (struct list_node *node = missing->next; node != missing; node = node->next)
        ((struct presence_user *)node)->due_ms = now_ms + wait_ms;
}

void presence_table_rebuild(struct presence_table *table, bool is_rebuilding,
                            uint64_t now_ms)
{
    table->is_rebuilding = is_rebuilding;
    if (!is_rebuilding && !table->has_begun)
        begin(table, now_ms);
}

/* --- news --- */

static struct presence_user *next_due(const struct presence_table *table,
                                      uint64_t *due_ms)
{
    struct presence_user *next = NULL;

    *due_ms = UINT64_MAX;
    for (int list = LIST_COMING; list < LIST_AWAY; list++) {
        struct presence_user *user = first_of(table, list);
        if (user && user->due_ms < *due_ms) {
            *due_ms = user->due_ms;
            next = user;
        }
    }
    return next;
}

bool presence_table_next(struct presence_table *table, uint64_t now_ms,
                         struct presence_news *news)
{
    uint64_t due_ms;
    struct presence_user *user = table->is_rebuilding ? NULL : next_due(table, &due_ms);

    if (!user || due_ms > now_ms)
        return false;
    unlist(table, user);
    user->is_under_way = true;
    *news = (struct presence_news){
        .who = user,
        .name = user->name,
        .is_online = !user->is_said,
        .is_silent = user->was_here,
        .last_seen_ms = user->seen_ms,
    };
    presence_note_parts(user->name, &news->nsp, &news->user);
    return true;
}

void presence_table_told(struct presence_table *table, struct presence_user *who,
                         bool is_kept, uint64_t now_ms)
{
    who->is_under_way = false;
    if (is_kept) {
        who->is_said = !who->is_said;
        who->was_here = false;
    } else if (who->is_here != who->is_said) {
        who->due_ms = now_ms + RETRY_MS;
        list_append(&table->lists[LIST_AGAIN], &who->node);
        return;
    }
    place(table, who, who->is_here ? now_ms : now_ms + table->limits.grace_ms);
}

/* --- questions --- */

int64_t presence_table_last_seen(const struct presence_table *table, struct slice nsp,
                                 struct slice who, int64_t wall_ms)
{
    char bytes[PRESENCE_NOTE_NAME_BYTES];
    const struct presence_user *user =
        str_map_find(&table->by_name, presence_note_name(bytes, nsp, who));

    if (!user)
        return 0;
    return user->is_here ? wall_ms : user->seen_ms;
}

size_t presence_table_count(const struct presence_table *table)
{
    return str_map_count(&table->by_name);
}

size_t presence_table_here(const struct presence_table *table)
{
    return table->here_count;
}

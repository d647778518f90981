/*
 * A map from bytes to pointers, for tables that hold a peer's names: the hash is keyed
 * (SipHash), so nobody can choose names that collide. Open addressing with linear
 * probing; a removal shifts its neighbours back, so a table that lives long does not fill
 * with graves, and a large one shrinks with what it holds. One thread at a time.
 */
#ifndef BRIDGE_STR_MAP_H
#define BRIDGE_STR_MAP_H

#include "proto/siphash.h"
#include "proto/status.h"

/* As small as can be: a table of clients has two of them for each. */
struct str_map_slot {
    const char *key;
    void *value; /* NULL: the slot is free */
    uint32_t key_len;
    uint32_t hash; /* the lower half */
};

/* Embedded; only str_map.c looks inside. */
struct str_map {
    struct str_map_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
    size_t max;
    struct hash_key hash_key;
};

/* An empty map of at most `max` entries; str_map_finish. Allocates nothing yet. */
void str_map_init(struct str_map *map, const struct hash_key *key, size_t max);
/* Another ceiling; who is in stays in. */
void str_map_limit(struct str_map *map, size_t max);
/* Frees the table, not the values. */
void str_map_finish(struct str_map *map);

/* Borrows `key`. NULL when it is not there. */
void *str_map_find(const struct str_map *map, struct slice key);

/*
 * Keeps `key` (its bytes belong to the value and live as long) and `value`, which is not
 * NULL. An equal key is replaced, bytes and value. On ST_LIMIT (max) and ST_NO_MEMORY
 * nothing has changed.
 */
enum status str_map_put(struct str_map *map, struct slice key, void *value);

/* Borrows `key`. Gives back the value that was kept, or NULL. */
void *str_map_remove(struct str_map *map, struct slice key);

size_t str_map_count(const struct str_map *map);

/*
 * The next value in no particular order, or NULL at the end; `*cursor` starts at 0. No
 * put and no remove in between.
 */
void *str_map_next(const struct str_map *map, size_t *cursor);

#endif

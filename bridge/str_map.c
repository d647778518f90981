/* Linear probing with backward shift: see the header. */
#include "bridge/str_map.h"

#include <assert.h>
#include <stdlib.h>

enum {
    FIRST_CAPACITY = 8,
    KEPT_CAPACITY = 1024, /* a larger table shrinks when an eighth of it is used */
};

void str_map_init(struct str_map *map, const struct hash_key *key, size_t max)
{
    *map = (struct str_map){.max = max, .hash_key = *key};
}

void str_map_limit(struct str_map *map, size_t max)
{
    map->max = max;
}

void str_map_finish(struct str_map *map)
{
    free(map->slots);
    map->slots = NULL;
    map->capacity = 0;
    map->count = 0;
}

static uint32_t hash_of(const struct str_map *map, struct slice key)
{
    assert(key.len <= UINT32_MAX);
    return (uint32_t)siphash(&map->hash_key, key);
}

static struct slice key_of(const struct str_map_slot *slot)
{
    return (struct slice){slot->key, slot->key_len};
}

/* The slot that holds `key`, or the free one where it would go. */
static struct str_map_slot *probe(struct str_map_slot *slots, size_t capacity,
                                  uint32_t hash, struct slice key)
{
    size_t at = hash & (capacity - 1);

    while (slots[at].value &&
           (slots[at].hash != hash || !slice_equal(key_of(&slots[at]), key)))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

void *str_map_find(const struct str_map *map, struct slice key)
{
    if (map->count == 0)
        return NULL;
    return probe(map->slots, map->capacity, hash_of(map, key), key)->value;
}

static enum status rebuild(struct str_map *map, size_t capacity)
{
    struct str_map_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct str_map_slot *old = &map->slots[i];
        if (old->value)
            *probe(slots, capacity, old->hash, key_of(old)) = *old;
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return ST_OK;
}

/* Room for one more: at most three quarters of the slots are taken. */
static enum status make_room(struct str_map *map)
{
    if ((map->count + 1) * 4 <= map->capacity * 3)
        return ST_OK;
    return rebuild(map, map->capacity ? map->capacity * 2 : FIRST_CAPACITY);
}

enum status str_map_put(struct str_map *map, struct slice key, void *value)
{
    uint32_t hash = hash_of(map, key);

    assert(value);
    if (map->count > 0) {
        struct str_map_slot *known = probe(map->slots, map->capacity, hash, key);
        if (known->value) {
            known->key = key.ptr;
            known->value = value;
            return ST_OK;
        }
    }
    if (map->count >= map->max)
        return ST_LIMIT;
    enum status st = make_room(map);
    if (st)
        return st;

    *probe(map->slots, map->capacity, hash, key) =
        (struct str_map_slot){key.ptr, value, (uint32_t)key.len, hash};
    map->count++;
    return ST_OK;
}

void *str_map_remove(struct str_map *map, struct slice key)
{
    if (map->count == 0)
        return NULL;

    size_t mask = map->capacity - 1;
    struct str_map_slot *slot = probe(map->slots, map->capacity, hash_of(map, key), key);
    void *value = slot->value;
    if (!value)
        return NULL;

    /* Close the hole: move back each follower whose home is not behind it. */
    size_t hole = (size_t)(slot - map->slots);
    for (size_t at = (hole + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct str_map_slot){0};
    map->count--;
    /* Without memory for it, it stays as it is. */
    if (map->capacity > KEPT_CAPACITY && map->count * 8 < map->capacity)
        (void)rebuild(map, map->capacity / 4);
    return value;
}

size_t str_map_count(const struct str_map *map)
{
    return map->count;
}

void *str_map_next(const struct str_map *map, size_t *cursor)
{
    while (*cursor < map->capacity) {
        void *value = map->slots[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}

/*
 * Duplicate keys: see the header. A large object's keys are sorted by a 32-bit hash in
 * four counting passes, which take the same time whatever the hashes are; only equal
 * hashes are compared as bytes. The hash key is therefore no secret: a peer who searches
 * for collisions pays 2^32 hashes for each and gains an n log n sort of those alone.
 */
#include "proto/json_keys.h"

#include "proto/json_text.h"
#include "proto/siphash.h"

#include <stdlib.h>
#include <string.h>

enum {
    COMPARED_BY_PAIRS = 16,
    DECODED_ON_STACK = 512,
    RADIX = 256,
};

void json_keys_init(struct json_keys *keys)
{
    keys->items = keys->inline_items;
    keys->count = 0;
    keys->cap = JSON_KEYS_INLINE;
}

void json_keys_finish(struct json_keys *keys)
{
    if (keys->items != keys->inline_items)
        free(keys->items);
    json_keys_init(keys);
}

static bool grow(struct json_keys *keys)
{
    bool is_inline = keys->items == keys->inline_items;
    size_t cap = keys->cap * 2;
    struct json_key *items = realloc(is_inline ? NULL : keys->items, cap * sizeof *items);

    if (!items)
        return false;
    if (is_inline)
        memcpy(items, keys->inline_items, sizeof keys->inline_items);
    keys->items = items;
    keys->cap = cap;
    return true;
}

static bool is_same(const struct json_key *a, const struct json_key *b)
{
    if (a->len != b->len)
        return false;
    /* The last byte differs most often: "item1", "item2". */
    return a->len == 0 || (a->ptr[a->len - 1] == b->ptr[b->len - 1] &&
                           memcmp(a->ptr, b->ptr, a->len) == 0);
}

static bool has_same(const struct json_key *items, size_t count,
                     const struct json_key *key)
{
    for (size_t i = 0; i < count; i++) {
        if (is_same(&items[i], key))
            return true;
    }
    return false;
}

static bool has_pair(const struct json_key *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (has_same(items, i, &items[i]))
            return true;
    }
    return false;
}

struct json_keys_object json_keys_open(const struct json_keys *keys)
{
    return (struct json_keys_object){.from = keys->count};
}

enum status json_keys_add(struct json_keys *keys, struct json_keys_object *object,
                          struct slice raw, bool is_escaped)
{
    struct json_key key = {.ptr = raw.ptr, .len = (uint32_t)raw.len};
    size_t siblings = keys->count - object->from;

    /* Escaped keys wait as well: each is then decoded once, not for each comparison. */
    if (is_escaped || siblings >= COMPARED_BY_PAIRS)
        object->is_deferred = true;
    if (!object->is_deferred && has_same(keys->items + object->from, siblings, &key))
        return ST_CONFLICT;

    if (keys->count == keys->cap && !grow(keys))
        return ST_NO_MEMORY;
    keys->items[keys->count++] = key;
    return ST_OK;
}

static int compare_bytes(const void *left, const void *right)
{
    const struct json_key *a = left;
    const struct json_key *b = right;

    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->ptr, b->ptr, a->len);
}

/* Duplicates among keys of equal hash: a run is one key long unless somebody worked for
 * more. */
static bool run_has_pair(struct json_key *run, size_t count)
{
    if (count <= COMPARED_BY_PAIRS)
        return has_pair(run, count);
    qsort(run, count, sizeof *run, compare_bytes);
    for (size_t i = 1; i < count; i++) {
        if (is_same(&run[i - 1], &run[i]))
            return true;
    }
    return false;
}

static void sort_pass(const struct json_key *from, struct json_key *to, size_t count,
                      unsigned shift)
{
    size_t starts[RADIX] = {0};
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        starts[from[i].hash >> shift & (RADIX - 1)]++;
    for (size_t i = 0; i < RADIX; i++) {
        size_t n = starts[i];
        starts[i] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].hash >> shift & (RADIX - 1)]++] = from[i];
}

static enum status check_sorted(struct json_key *items, size_t count)
{
    static const struct hash_key fixed = {0x5157a1c2f00d9e37u, 0x8c3f4e6b2a91d705u};
    struct json_key *spare = malloc(count * sizeof *spare);
    enum status st = ST_OK;

    if (!spare)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct slice text = {items[i].ptr, items[i].len};
        items[i].hash = (uint32_t)siphash(&fixed, text);
    }
    for (unsigned shift = 0; shift < 32; shift += 16) {
        sort_pass(items, spare, count, shift);
        sort_pass(spare, items, count, shift + 8);
    }

    for (size_t i = 0, next; i < count && !st; i = next) {
        for (next = i + 1; next < count && items[next].hash == items[i].hash;)
            next++;
        if (next - i > 1 && run_has_pair(items + i, next - i))
            st = ST_CONFLICT;
    }
    free(spare);
    return st;
}

static bool is_escaped_key(const struct json_key *key)
{
    return key->len > 0 && memchr(key->ptr, '\\', key->len);
}

static enum status check_deferred(struct json_key *items, size_t count)
{
    char on_stack[DECODED_ON_STACK];
    char *heap = NULL;
    char *out = on_stack;
    size_t need = 0;
    enum status st = ST_OK;

    for (size_t i = 0; i < count; i++)
        need += is_escaped_key(&items[i]) ? items[i].len : 0;
    if (need > sizeof on_stack) {
        heap = malloc(need);
        if (!heap)
            return ST_NO_MEMORY;
        out = heap;
    }
    for (size_t i = 0; i < count && need > 0; i++) {
        if (!is_escaped_key(&items[i]))
            continue;
        struct slice raw = {items[i].ptr, items[i].len};
        struct slice plain = json_key_decode(raw, out);
        items[i].ptr = plain.ptr;
        items[i].len = (uint32_t)plain.len;
        out += plain.len;
    }

    if (count > COMPARED_BY_PAIRS)
        st = check_sorted(items, count);
    else if (has_pair(items, count))
        st = ST_CONFLICT;
    free(heap);
    return st;
}

enum status json_keys_close(struct json_keys *keys, const struct json_keys_object *object)
{
    size_t count = keys->count - object->from;

    keys->count = object->from;
    return object->is_deferred ? check_deferred(keys->items + object->from, count)
                               : ST_OK;
}

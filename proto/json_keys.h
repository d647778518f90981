/*
 * The keys of the objects that a JSON scan has open, to find duplicates. Keys of inner
 * objects lie behind those of outer ones. No random hash key is needed: a small object
 * is compared pair by pair, a large one is sorted when it ends, in time that an adversary
 * cannot change much (about 6 ms for 1 MB of keys).
 */
#ifndef PROTO_JSON_KEYS_H
#define PROTO_JSON_KEYS_H

#include "proto/slice.h"
#include "proto/status.h"

enum {
    JSON_KEYS_INLINE = 64, /* so many need no heap */
};

struct json_key {
    const char *ptr;
    uint32_t len;
    uint32_t hash; /* only while an object is being sorted */
};

struct json_keys {
    struct json_key *items; /* `inline_items`, or heap */
    size_t count;
    size_t cap;
    struct json_key inline_items[JSON_KEYS_INLINE];
};

/* One open object; json_keys_open makes it. */
struct json_keys_object {
    size_t from;
    bool is_deferred; /* compared when it ends */
};

void json_keys_init(struct json_keys *keys);
void json_keys_finish(struct json_keys *keys);

struct json_keys_object json_keys_open(const struct json_keys *keys);

/*
 * Keeps `raw`, a checked key without its quotes, until the object ends. ST_CONFLICT when
 * the object has it already (some duplicates are only found at the end), ST_NO_MEMORY.
 */
enum status json_keys_add(struct json_keys *keys, struct json_keys_object *object,
                          struct slice raw, bool is_escaped);

/* Forgets the object's keys; ST_CONFLICT when two are equal, ST_NO_MEMORY. */
enum status json_keys_close(struct json_keys *keys,
                            const struct json_keys_object *object);

#endif

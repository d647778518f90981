/* API keys: see the header. */
#include "publisher-api/api_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECRET_BYTES = 46, /* "sk_" and 43 */
    MAX_KEYS = 1000,
};

struct api_keys {
    struct digester *digester;
    struct api_key *rows;
    size_t count;
};

struct api_keys *api_keys_create(void)
{
    struct api_keys *keys = calloc(1, sizeof *keys);

    if (!keys)
        return NULL;
    keys->digester = digester_create();
    if (keys->digester)
        return keys;
    free(keys);
    return NULL;
}

static void slices_free(const struct slice *slices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)slices[i].ptr);
    free((void *)(uintptr_t)slices);
}

static void key_finish(struct api_key *key)
{
    free((void *)(uintptr_t)key->name);
    slices_free(key->rooms, key->room_count);
    slices_free(key->events, key->event_count);
}

void api_keys_destroy(struct api_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        key_finish(&keys->rows[i]);
    free(keys->rows);
    digester_destroy(keys->digester);
    free(keys);
}

void api_keys_replace(struct api_keys *keys, struct api_keys *fresh)
{
    struct api_keys before = *keys;

    *keys = *fresh;
    *fresh = before;
    api_keys_destroy(fresh);
}

size_t api_keys_count(const struct api_keys *keys)
{
    return keys->count;
}

static bool is_base64url(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '_';
}

bool api_key_is_well_formed(struct slice secret)
{
    if (secret.len != SECRET_BYTES || !slice_starts_with(secret, "sk_"))
        return false;
    for (size_t i = 0; i < secret.len; i++)
        if (!is_base64url(secret.ptr[i]))
            return false;
    return true;
}

/* False when out of memory; what was copied so far is in place. */
static bool slices_dup(const struct slice *from, size_t count, const struct slice **to,
                       size_t *to_count)
{
    struct slice *copy = count > 0 ? calloc(count, sizeof *copy) : NULL;

    *to = copy;
    for (*to_count = 0; copy && *to_count < count; ++*to_count) {
        char *bytes = slice_dup(from[*to_count]);
        if (!bytes)
            return false;
        copy[*to_count] = (struct slice){bytes, from[*to_count].len};
    }
    return *to_count == count;
}

static enum status key_init(struct api_key *copy, const struct api_key *key,
                            struct slice secret)
{
    *copy = (struct api_key){.scopes = key->scopes};
    digest_sha256(secret, copy->digest);
    copy->name = strdup(key->name);
    if (copy->name &&
        slices_dup(key->rooms, key->room_count, &copy->rooms, &copy->room_count) &&
        slices_dup(key->events, key->event_count, &copy->events, &copy->event_count))
        return ST_OK;
    key_finish(copy);
    return ST_NO_MEMORY;
}

enum status api_keys_add(struct api_keys *keys, const struct api_key *key,
                         struct slice secret)
{
    if (!api_key_is_well_formed(secret))
        return ST_BAD_REQUEST;
    if (keys->count == MAX_KEYS)
        return ST_LIMIT;
    for (size_t i = 0; i < key->room_count; i++)
        if (!room_pattern_is_valid(key->rooms[i]))
            return ST_BAD_REQUEST;
    if (api_keys_find(keys, secret))
        return ST_CONFLICT;

    struct api_key *rows = realloc(keys->rows, (keys->count + 1) * sizeof *rows);
    if (!rows)
        return ST_NO_MEMORY;
    keys->rows = rows;
    enum status st = key_init(&rows[keys->count], key, secret);
    if (!st)
        keys->count++;
    return st;
}

enum status api_keys_add_list(struct api_keys *keys, struct slice list)
{
    struct slice secret;

    while (list.len > 0) {
        char name[32];
        struct api_key key = {.name = name,
                              .scopes = API_SCOPE_PUBLISH | API_SCOPE_ADMIN};

        slice_cut(list, ',', &secret, &list);
        secret = slice_trim(secret);
        if (secret.len == 0)
            continue;
        snprintf(name, sizeof name, "key-%zu", keys->count + 1);
        enum status st = api_keys_add(keys, &key, secret);
        if (st)
            return st;
    }
    return ST_OK;
}

/* Digests are compared, so that neither time nor memory tells anything about a key. */
const struct api_key *api_keys_find(const struct api_keys *keys, struct slice secret)
{
    unsigned char digest[DIGEST_SHA256_BYTES];
    const struct api_key *found = NULL;

    digester_sha256(keys->digester, secret, digest);
    struct slice wanted = {(const char *)digest, sizeof digest};
    for (size_t i = 0; i < keys->count; i++) {
        const struct api_key *key = &keys->rows[i];
        if (slice_equal_secret(
                wanted, (struct slice){(const char *)key->digest, sizeof key->digest}))
            found = key;
    }
    return found;
}

/* The name that a pattern is held against; empty when there is none. */
static struct slice target_as_room(const struct envelope_target *target, char *out,
                                   size_t size)
{
    if (target->kind == ROOM_NAMED)
        return target->name;
    if (target->kind != ROOM_USER)
        return (struct slice){0};
    int len = snprintf(out, size, "user:%.*s", (int)target->name.len, target->name.ptr);
    return (struct slice){out, (size_t)len};
}

bool api_rooms_allow(const struct slice *patterns, size_t count,
                     const struct envelope_target *target)
{
    char text[LIMIT_USER_BYTES + 8];
    struct slice room = target_as_room(target, text, sizeof text);

    for (size_t i = 0; i < count; i++)
        if (slice_is(patterns[i], "**") || room_pattern_matches(patterns[i], room))
            return true;
    return count == 0;
}

static bool events_allow(const struct api_key *key, struct slice event)
{
    for (size_t i = 0; i < key->event_count; i++) {
        struct slice pattern = key->events[i];
        bool is_prefix = pattern.len > 0 && pattern.ptr[pattern.len - 1] == '*';
        if (is_prefix)
            pattern.len--;
        struct slice head = is_prefix ? slice_first(event, pattern.len) : event;
        if (slice_equal(head, pattern))
            return true;
    }
    return key->event_count == 0;
}

bool api_key_may_publish(const struct api_key *key, const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->target_count; i++)
        if (!api_rooms_allow(key->rooms, key->room_count, &envelope->targets[i]))
            return false;
    return events_allow(key, envelope->event);
}

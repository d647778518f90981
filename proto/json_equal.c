/* Equality of JSON values: see the header. */
#include "proto/json_equal.h"

#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as the gate lets JSON be. */

double json_equal_number(struct slice text)
{
    char copy[LIMIT_JSON_NUMBER_BYTES + 1];
    size_t len = text.len < sizeof copy ? text.len : sizeof copy - 1;

    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    return strtod(copy, NULL);
}

static bool is_number(struct slice json)
{
    return json.ptr[0] == '-' || (json.ptr[0] >= '0' && json.ptr[0] <= '9');
}

/* Digits only, both: compared as written, since a double would round them. */
static bool are_integers(struct slice a, struct slice b)
{
    static const char digits[] = "-0123456789";

    for (size_t i = 0; i < a.len; i++)
        if (!strchr(digits, a.ptr[i]))
            return false;
    for (size_t i = 0; i < b.len; i++)
        if (!strchr(digits, b.ptr[i]))
            return false;
    return !slice_is(a, "-0") && !slice_is(b, "-0");
}

static bool numbers_equal(struct slice a, struct slice b)
{
    return are_integers(a, b) ? slice_equal(a, b)
                              : json_equal_number(a) == json_equal_number(b);
}

/* Raw contents of two strings or keys, as decoded. */
static bool texts_equal(struct slice a, struct slice b)
{
    bool has_escape =
        (a.len && memchr(a.ptr, '\\', a.len)) || (b.len && memchr(b.ptr, '\\', b.len));
    char *memory;

    if (!has_escape)
        return slice_equal(a, b);
    memory = malloc(a.len + b.len + 1);
    if (!memory)
        return false;
    bool equal =
        slice_equal(json_key_decode(a, memory), json_key_decode(b, memory + a.len));
    free(memory);
    return equal;
}

static struct slice inside(struct slice string)
{
    return (struct slice){string.ptr + 1, string.len - 2};
}

static bool arrays_equal(struct slice a, struct slice b, struct steps *steps)
{
    struct json_cursor at_a = {0}, at_b = {0};
    struct json_value x, y;

    for (;;) {
        bool has_x = json_array_next(a, &at_a, &x);
        bool has_y = json_array_next(b, &at_b, &y);
        if (has_x != has_y)
            return false;
        if (!has_x)
            return true;
        if (!json_equal_values(x.text, y.text, steps))
            return false;
    }
}

static bool has_member(struct slice object, const struct json_member *wanted,
                       struct steps *steps)
{
    struct json_cursor cursor = {0};
    struct json_member member;
    size_t before = 0;

    while (json_object_next(object, &cursor, &member)) {
        if (!steps_take(steps, wanted->key.len + cursor.at - before))
            return false;
        before = cursor.at;
        if (texts_equal(member.key, wanted->key))
            return json_equal_values(member.value.text, wanted->value.text, steps);
    }
    return false;
}

static size_t member_count(struct slice object)
{
    struct json_cursor cursor = {0};
    struct json_member member;
    size_t count = 0;

    while (json_object_next(object, &cursor, &member))
        count++;
    return count;
}

static bool objects_equal(struct slice a, struct slice b, struct steps *steps)
{
    struct json_cursor cursor = {0};
    struct json_member member;

    if (member_count(a) != member_count(b))
        return false;
    while (json_object_next(a, &cursor, &member))
        if (!has_member(b, &member, steps))
            return false;
    return true;
}

bool json_equal_values(struct slice a, struct slice b, struct steps *steps)
{
    if (a.len == 0 || b.len == 0)
        return a.len == b.len;
    bool is_alike = is_number(a) ? is_number(b) : a.ptr[0] == b.ptr[0];
    if (!steps_take(steps, is_alike ? a.len + b.len : 0) || !is_alike)
        return false;
    if (is_number(a))
        return numbers_equal(a, b);
    switch (a.ptr[0]) {
    case '"': return texts_equal(inside(a), inside(b));
    case '[': return arrays_equal(a, b, steps);
    case '{': return objects_equal(a, b, steps);
    default: return true; /* true, false, null */
    }
}

/* --- hashes: FNV-1a */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

/* Raw contents of a string or key, as decoded. */
static uint64_t hash_text(uint64_t hash, struct slice raw)
{
    if (raw.len == 0 || !memchr(raw.ptr, '\\', raw.len))
        return hash_bytes(hash, raw.ptr, raw.len);
    char *memory = malloc(raw.len);
    if (!memory)
        return 0;
    struct slice text = json_key_decode(raw, memory);
    hash = hash_bytes(hash, text.ptr, text.len);
    free(memory);
    return hash;
}

static uint64_t hash_number(uint64_t hash, struct slice text)
{
    double number = json_equal_number(text) + 0.0; /* -0 is 0 */

    return hash_bytes(hash, &number, sizeof number);
}

static uint64_t hash_array(uint64_t hash, struct slice array, struct steps *steps)
{
    struct json_cursor cursor = {0};
    struct json_value item;

    while (steps->left > 0 && json_array_next(array, &cursor, &item)) {
        uint64_t part = json_equal_hash(item.text, steps);
        hash = hash_bytes(hash, &part, sizeof part);
    }
    return hash;
}

/* A sum: members have no order. */
static uint64_t hash_object(uint64_t hash, struct slice object, struct steps *steps)
{
    struct json_cursor cursor = {0};
    struct json_member member;

    while (steps->left > 0 && json_object_next(object, &cursor, &member))
        hash += hash_text(json_equal_hash(member.value.text, steps), member.key);
    return hash;
}

uint64_t json_equal_hash(struct slice value, struct steps *steps)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    if (value.len == 0 || !steps_take(steps, value.len))
        return hash;
    if (is_number(value))
        return hash_number(hash, value);
    hash = hash_bytes(hash, value.ptr, 1);
    switch (value.ptr[0]) {
    case '"': return hash_text(hash, inside(value));
    case '[': return hash_array(hash, value, steps);
    case '{': return hash_object(hash, value, steps);
    default: return hash; /* true, false, null */
    }
}

/* NOLINTEND(misc-no-recursion) */

/* Reading checked JSON: see the header. */
#include "proto/json_text.h"

#include <string.h>

enum {
    MAX_ESCAPED = 4,         /* bytes that one escape can become */
    LONE_SURROGATE = 0xfffd, /* what half of a pair decodes to */
};

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* From an opening quote to behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && end - at > 1)
            at++;
    }
    return at < end ? at + 1 : end;
}

static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
        if (depth == 0)
            break;
    }
    return at;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at < end && !strchr(",]} \n\r\t", *at))
        at++;
    return at;
}

static enum json_type type_of(char first)
{
    switch (first) {
    case '{': return JSON_GATE_OBJECT;
    case '[': return JSON_GATE_ARRAY;
    case '"': return JSON_GATE_STRING;
    case 't': return JSON_GATE_TRUE;
    case 'f': return JSON_GATE_FALSE;
    case 'n': return JSON_GATE_NULL;
    default: return JSON_GATE_NUMBER;
    }
}

static const char *read_value(const char *at, const char *end, struct json_value *value)
{
    const char *from = at;

    value->type = type_of(*at);
    if (value->type == JSON_GATE_STRING)
        at = skip_string(at, end);
    else if (value->type == JSON_GATE_OBJECT || value->type == JSON_GATE_ARRAY)
        at = skip_container(at, end);
    else
        at = skip_word(at, end);
    value->text = (struct slice){from, (size_t)(at - from)};
    return at;
}

/* Where the next item begins; NULL at the end. Steps over '{', '[' or ','. */
static const char *next_item(struct slice text, const struct json_cursor *cursor,
                             char open)
{
    if (text.len == 0 || text.ptr[0] != open || cursor->at >= text.len)
        return NULL;

    const char *end = text.ptr + text.len;
    const char *at = skip_blanks(text.ptr + cursor->at, end);
    bool goes_on = at < end && *at == (cursor->at == 0 ? open : ',');
    if (!goes_on)
        return NULL;
    at = skip_blanks(at + 1, end);
    return at < end && *at != ']' && *at != '}' ? at : NULL;
}

bool json_array_next(struct slice array, struct json_cursor *cursor,
                     struct json_value *item)
{
    const char *at = next_item(array, cursor, '[');

    if (!at)
        return false;
    at = read_value(at, array.ptr + array.len, item);
    cursor->at = (size_t)(at - array.ptr);
    return true;
}

bool json_list_next(struct slice list, struct json_cursor *cursor,
                    struct json_value *item)
{
    if (list.len == 0 || cursor->at >= list.len)
        return false;

    const char *end = list.ptr + list.len;
    const char *at = skip_blanks(list.ptr + cursor->at, end);
    if (cursor->at > 0) {
        if (at == end || *at != ',')
            return false;
        at = skip_blanks(at + 1, end);
    }
    if (at == end)
        return false;
    at = read_value(at, end, item);
    cursor->at = (size_t)(at - list.ptr);
    return true;
}

bool json_object_next(struct slice object, struct json_cursor *cursor,
                      struct json_member *member)
{
    const char *at = next_item(object, cursor, '{');

    if (!at || *at != '"')
        return false;
    const char *end = object.ptr + object.len;
    const char *behind = skip_string(at, end);
    if (behind - at < 2)
        return false;
    member->key = (struct slice){at + 1, (size_t)(behind - at) - 2};

    at = skip_blanks(behind, end);
    if (at == end || *at != ':')
        return false;
    at = skip_blanks(at + 1, end);
    if (at == end)
        return false;
    at = read_value(at, end, &member->value);
    cursor->at = (size_t)(at - object.ptr);
    return true;
}

static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return (unsigned)((c | 0x20) - 'a' + 10) & 0xf;
}

static uint32_t hex_unit(const char *at)
{
    return hex_digit(at[0]) << 12 | hex_digit(at[1]) << 8 | hex_digit(at[2]) << 4 |
           hex_digit(at[3]);
}

static size_t encode_utf8(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (point >> 18 & 0x07));
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* Decodes the escape at `*at`, steps over it, and gives the number of bytes it became. */
static size_t decode_escape(const char **at, const char *end, char out[MAX_ESCAPED])
{
    static const char names[] = "bfnrt";
    static const char bytes[] = "\b\f\n\r\t";
    size_t left = (size_t)(end - *at);
    char name = left > 1 ? (*at)[1] : '\\';

    if (name != 'u' || left < 6) {
        const char *found = name ? strchr(names, name) : NULL;
        out[0] = found ? bytes[found - names] : name;
        *at += left > 1 ? 2 : 1;
        return 1;
    }

    uint32_t point = hex_unit(*at + 2);
    *at += 6;
    if (point >= 0xd800 && point <= 0xdfff) {
        bool has_pair =
            point <= 0xdbff && left >= 12 && (*at)[0] == '\\' && (*at)[1] == 'u';
        uint32_t low = has_pair ? hex_unit(*at + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff)
            return encode_utf8(LONE_SURROGATE, out);
        point = 0x10000 + ((point - 0xd800) << 10) + (low & 0x3ff);
        *at += 6;
    }
    return encode_utf8(point, out);
}

struct slice json_key_decode(struct slice raw, char *out)
{
    size_t len = 0;

    if (raw.len == 0 || !memchr(raw.ptr, '\\', raw.len))
        return raw;
    const char *at = raw.ptr;
    const char *end = raw.ptr + raw.len;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memmove(out + len, at, plain);
        len += plain;
        at += plain;
        if (at < end) {
            char bytes[MAX_ESCAPED];
            size_t n = decode_escape(&at, end, bytes);
            memcpy(out + len, bytes, n);
            len += n;
        }
    }
    return (struct slice){out, len};
}

struct slice json_string_decode(struct slice text, char *out)
{
    if (text.len < 2)
        return (struct slice){0};
    return json_key_decode((struct slice){text.ptr + 1, text.len - 2}, out);
}

/* Is the key, once decoded, `plain`? Needs no memory for the decoded key. */
static bool key_is(struct slice raw, const char *plain)
{
    struct slice rest = slice_of(plain);

    if (raw.len == 0 || !memchr(raw.ptr, '\\', raw.len))
        return slice_equal(raw, rest);
    const char *at = raw.ptr;
    const char *end = raw.ptr + raw.len;
    while (at < end) {
        char bytes[MAX_ESCAPED] = {*at};
        size_t n = 1;
        if (*at == '\\')
            n = decode_escape(&at, end, bytes);
        else
            at++;
        if (rest.len < n || memcmp(rest.ptr, bytes, n) != 0)
            return false;
        rest = slice_from(rest, n);
    }
    return rest.len == 0;
}

struct json_value json_object_find(struct slice object, const char *key)
{
    struct json_cursor cursor = {0};
    struct json_member member;

    while (json_object_next(object, &cursor, &member)) {
        if (key_is(member.key, key))
            return member.value;
    }
    return (struct json_value){0};
}

bool json_number_to_u64(struct slice text, uint64_t *value)
{
    uint64_t number;

    if (!slice_to_u64(text, &number) || number > (UINT64_C(1) << 53) - 1)
        return false;
    *value = number;
    return true;
}

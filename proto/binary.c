/* Bytes inside JSON: see the header. */
#include "proto/binary.h"

#include "proto/base64.h"
#include "proto/json_text.h"

#include <string.h>

/* With its quotes: in checked JSON, what follows a brace is the whole key. */
static const struct slice binary_key = {"\"$binary\"", 9};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* What stands behind blanks before `at`; NULL: nothing. */
static const char *before(struct slice json, const char *at)
{
    while (at > json.ptr && is_blank(at[-1]))
        at--;
    return at > json.ptr ? at - 1 : NULL;
}

/* Where the member's value begins, whose key ends at `at`; NULL: it was no key. */
static const char *value_after(const char *at, const char *end)
{
    at = skip_blanks(at, end);
    if (at == end || *at != ':')
        return NULL;
    at = skip_blanks(at + 1, end);
    return at < end ? at : NULL;
}

static const char *find_key(struct slice json, size_t at)
{
    return at < json.len
               ? memmem(json.ptr + at, json.len - at, binary_key.ptr, binary_key.len)
               : NULL;
}

/* From an opening quote to behind the closing one; NULL: it does not end. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

/* Whether the key at `key` is the one of such an object. */
static bool is_spot(struct slice json, const char *key, struct binary_spot *spot)
{
    const char *end = json.ptr + json.len;
    const char *open = before(json, key);

    if (!open || *open != '{')
        return false;
    const char *value = value_after(key + binary_key.len, end);
    const char *behind = value && *value == '"' ? string_end(value, end) : NULL;
    if (!behind)
        return false;
    const char *close = skip_blanks(behind, end);
    if (close == end || *close != '}')
        return false;
    spot->object = (struct slice){open, (size_t)(close + 1 - open)};
    spot->string = (struct slice){value, (size_t)(behind - value)};
    return true;
}

bool binary_next(struct slice json, size_t *at, struct binary_spot *spot)
{
    const char *key;

    while ((key = find_key(json, *at))) {
        bool is_one = is_spot(json, key, spot);
        const char *from = is_one ? spot->object.ptr + spot->object.len : key + 1;
        *at = (size_t)(from - json.ptr);
        if (is_one)
            return true;
    }
    *at = json.len;
    return false;
}

size_t binary_count(struct slice json)
{
    struct binary_spot spot;
    size_t count = 0;

    for (size_t at = 0; binary_next(json, &at, &spot);)
        count++;
    return count;
}

bool binary_add_bytes(const struct binary_spot *spot, struct buf *out)
{
    char *room = buf_reserve(out, spot->string.len);
    size_t len;

    if (!room)
        return false;
    /* Some encoders write "\/": undone, it is shorter than it was. */
    struct slice text = json_string_decode(spot->string, room);
    if (!base64_measure(text, &len))
        return false;
    base64_decode(text, room);
    buf_grew(out, len);
    return true;
}

void binary_add_object(struct slice bytes, struct buf *out)
{
    buf_add_text(out, "{\"$binary\":\"");
    base64_encode(bytes, out);
    buf_add_text(out, "\"}");
}

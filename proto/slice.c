/* Slices: see the header. */
#include "proto/slice.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

struct slice slice_from(struct slice s, size_t n)
{
    if (n >= s.len)
        return (struct slice){0};
    return (struct slice){s.ptr + n, s.len - n};
}

struct slice slice_first(struct slice s, size_t n)
{
    return (struct slice){s.ptr, n < s.len ? n : s.len};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool slice_cut(struct slice s, char byte, struct slice *head, struct slice *rest)
{
    const char *at = s.len ? memchr(s.ptr, byte, s.len) : NULL;

    if (!at) {
        *head = s;
        *rest = (struct slice){0};
        return false;
    }
    *head = slice_first(s, (size_t)(at - s.ptr));
    *rest = slice_from(s, head->len + 1);
    return true;
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_is(struct slice s, const char *text)
{
    return slice_equal(s, slice_of(text));
}

bool slice_is_nocase(struct slice s, const char *text)
{
    if (s.len == 0 || text[0] == '\0')
        return s.len == 0 && text[0] == '\0';
    /* Most of what is compared differs in its first letter: 0x20 is its case. */
    if ((s.ptr[0] | 0x20) != (text[0] | 0x20))
        return false;
    return s.len == strlen(text) && strncasecmp(s.ptr, text, s.len) == 0;
}

bool slice_starts_with(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && (len == 0 || memcmp(s.ptr, prefix, len) == 0);
}

bool slice_equal_secret(struct slice a, struct slice b)
{
    unsigned char difference = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return difference == 0;
}

bool slice_to_u64(struct slice s, uint64_t *value)
{
    uint64_t sum = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

char *slice_dup(struct slice s)
{
    char *copy = malloc(s.len + 1);

    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

/* Queries and cookies: see the header. */
#include "proto/http_query.h"

bool http_query_find(struct slice query, const char *name, struct slice *value)
{
    bool is_found = false;

    while (query.len > 0) {
        struct slice pair, key, text;
        slice_cut(query, '&', &pair, &query);
        slice_cut(pair, '=', &key, &text);
        if (slice_is(key, name)) {
            *value = text;
            is_found = true;
        }
    }
    return is_found;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_decode(struct slice text, bool plus_is_blank, char *out, size_t *len)
{
    size_t at = 0;
    size_t written = 0;

    while (at < text.len) {
        char c = text.ptr[at++];
        if (c == '%') {
            int high = text.len - at >= 2 ? hex_digit(text.ptr[at]) : -1;
            int low = text.len - at >= 2 ? hex_digit(text.ptr[at + 1]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        out[written++] = c;
    }
    *len = written;
    return true;
}

static struct slice without_quotes(struct slice text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return (struct slice){text.ptr + 1, text.len - 2};
    return text;
}

bool http_cookie_find(struct slice cookies, const char *name, struct slice *value)
{
    while (cookies.len > 0) {
        struct slice pair, key, text;
        slice_cut(cookies, ';', &pair, &cookies);
        if (slice_cut(pair, '=', &key, &text) && slice_is(slice_trim(key), name)) {
            *value = without_quotes(slice_trim(text));
            return true;
        }
    }
    return false;
}

/* Origins: see the header. */
#include "proto/origin.h"

#include <string.h>

static bool is_made_of(struct slice text, const char *others)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return text.len > 0;
}

static bool has_upper(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return true;
    }
    return false;
}

/* "https://a:1" → "https" and "a:1" */
static bool split(struct slice origin, struct slice *scheme, struct slice *authority)
{
    struct slice rest;

    if (!slice_cut(origin, ':', scheme, &rest) || !slice_starts_with(rest, "//"))
        return false;
    *authority = slice_from(rest, 2);
    return scheme->len > 0 && authority->len > 0;
}

/* Where the port begins, at its colon; the length when there is none. */
static size_t port_at(struct slice authority)
{
    size_t i = authority.len;

    while (i > 0 && authority.ptr[i - 1] >= '0' && authority.ptr[i - 1] <= '9')
        i--;
    return i > 0 && i < authority.len && authority.ptr[i - 1] == ':' ? i - 1
                                                                     : authority.len;
}

/* Browsers leave it out. */
static const char *default_port(struct slice scheme)
{
    if (slice_is(scheme, "https"))
        return ":443";
    return slice_is(scheme, "http") ? ":80" : "";
}

static enum status bad_item(const char **reason, const char *text)
{
    *reason = text;
    return ST_BAD_PAYLOAD;
}

static bool host_is_good(struct slice host)
{
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        return is_made_of(slice_first(slice_from(host, 1), host.len - 2), ":.");
    return is_made_of(host, "-._");
}

static bool port_is_good(struct slice port)
{
    uint64_t number;

    return port.len == 0 ||
           (port.ptr[1] != '0' && port.len <= 6 &&
            slice_to_u64(slice_from(port, 1), &number) && number < 65536);
}

/* What no browser would send can never match: better said at the start than wondered
 * about later. */
static enum status check_item(struct slice item, const char **reason)
{
    struct slice scheme, authority;

    if (slice_is(item, "null"))
        return ST_OK;
    if (item.len > 0 && memchr(item.ptr, '*', item.len))
        return bad_item(reason, "has a *: list each origin, or write insecure:* to let "
                                "in the pages of every site");
    if (has_upper(item))
        return bad_item(reason, "must be in small letters, as browsers send it");
    if (!split(item, &scheme, &authority) || !is_made_of(scheme, "+-."))
        return bad_item(reason, "is no origin: write https://app.example.com");
    if (authority.ptr[authority.len - 1] == '/')
        return bad_item(reason, "must end after the host: leave the / out");
    size_t at = port_at(authority);
    struct slice port = slice_from(authority, at);
    if (!host_is_good(slice_first(authority, at)) || !port_is_good(port))
        return bad_item(reason, "is no origin: write https://app.example.com");
    if (port.len > 0 && slice_is(port, default_port(scheme)))
        return bad_item(reason, "names the usual port, which browsers leave out");
    return ST_OK;
}

enum status origin_list_parse(struct slice text, struct origin_list *list,
                              struct slice *bad, const char **reason)
{
    *list = (struct origin_list){0};
    *bad = (struct slice){0};
    *reason = NULL;
    while (text.len > 0) {
        slice_cut(text, ',', bad, &text);
        *bad = slice_trim(*bad);
        if (slice_is(*bad, "insecure:*")) {
            list->allows_any = true;
            continue;
        }
        if (list->count == LIMIT_ORIGINS)
            return bad_item(reason, "is one origin too many");
        enum status st = check_item(*bad, reason);
        if (st)
            return st;
        list->items[list->count++] = *bad;
    }
    return ST_OK;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* `host` in any case: people type it. The origin is the browser's own writing. */
static bool is_host(struct slice authority, struct slice host)
{
    if (authority.len != host.len)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        if (authority.ptr[i] != lower(host.ptr[i]))
            return false;
    }
    return true;
}

static bool is_same_host(struct slice origin, const struct forwarded *site)
{
    struct slice scheme, authority;
    struct slice host = site->host;

    if (!split(origin, &scheme, &authority))
        return false;
    bool is_https = slice_is(scheme, "https");
    if (!is_https && !slice_is(scheme, "http"))
        return false;
    if (site->scheme != HTTP_SCHEME_UNKNOWN &&
        is_https != (site->scheme == HTTP_SCHEME_HTTPS))
        return false;
    size_t at = port_at(host);
    if (slice_is(slice_from(host, at), default_port(scheme)))
        host = slice_first(host, at);
    return is_host(authority, host);
}

static bool is_in(const struct origin_list *list, struct slice origin)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(list->items[i], origin))
            return true;
    }
    return false;
}

static enum origin_verdict judge_absent(const struct http_head *head)
{
    bool is_read = head->method == HTTP_GET || head->method == HTTP_HEAD ||
                   head->method == HTTP_OPTIONS;

    if ((head->is_websocket || !is_read) && http_head_field(head, "Cookie").ptr)
        return ORIGIN_REFUSED;
    return ORIGIN_ABSENT;
}

enum origin_verdict origin_judge(const struct origin_list *list,
                                 const struct http_head *head,
                                 const struct forwarded *forwarded)
{
    struct slice origin = {0};
    size_t count = 0;

    for (size_t i = 0; i < head->field_count; i++) {
        if (slice_is_nocase(head->fields[i].name, "Origin")) {
            origin = head->fields[i].value;
            count++;
        }
    }
    if (count == 0)
        return list->allows_any ? ORIGIN_ABSENT : judge_absent(head);
    if (count > 1 || origin.len == 0)
        return ORIGIN_REFUSED;
    if (is_in(list, origin))
        return ORIGIN_LISTED;
    if (list->allows_any)
        return ORIGIN_ANY;
    if (list->count == 0 && is_same_host(origin, forwarded))
        return ORIGIN_SAME_HOST;
    return ORIGIN_REFUSED;
}

bool origin_is_preflight(const struct http_head *head)
{
    return head->method == HTTP_OPTIONS && http_head_field(head, "Origin").len > 0 &&
           http_head_field(head, "Access-Control-Request-Method").len > 0;
}

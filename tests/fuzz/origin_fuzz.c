/*
 * Whatever the bytes: an origin that is let in without a wildcard is one that stands in
 * the list, or names the very host; and whoever is taken for the client was vouched for
 * by listed proxies. First line: the list; then a request head.
 */
#include "proto/origin.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_in(const struct origin_list *list, struct slice origin)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(list->items[i], origin))
            return true;
    return false;
}

static void check_verdict(const struct origin_list *list, const struct http_head *head,
                          const struct forwarded *site)
{
    struct slice origin = http_head_field(head, "Origin");
    bool has_upper = false;

    for (size_t i = 0; i < origin.len; i++)
        has_upper = has_upper || (origin.ptr[i] >= 'A' && origin.ptr[i] <= 'Z');
    switch (origin_judge(list, head, site)) {
    case ORIGIN_LISTED:
        if (!is_in(list, origin))
            abort();
        break;
    case ORIGIN_SAME_HOST:
        if (list->count > 0 || has_upper || site->host.len == 0 ||
            !slice_starts_with(origin, "http"))
            abort();
        break;
    case ORIGIN_ANY:
        if (!list->allows_any)
            abort();
        break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head head;
    struct ip_prefix_list proxies;
    struct ip_address peer;
    struct forwarded forwarded;
    struct origin_list list;
    struct slice line, rest, bad;
    const char *reason;

    slice_cut((struct slice){(const char *)data, size}, '\n', &line, &rest);
    if (origin_list_parse(line, &list, &bad, &reason) && !reason)
        abort();
    if (http_gate_raw(rest, &head, &reason))
        return 0;
    if (ip_prefix_list_parse(SLICE("10.0.0.0/8,::1"), &proxies, &bad) ||
        !ip_address_parse(SLICE("10.0.0.1"), &peer))
        abort();
    if (forwarded_read(&head, &proxies, &peer, &forwarded, &reason)) {
        if (!reason)
            abort();
        return 0;
    }
    check_verdict(&list, &head, &forwarded);
    return 0;
}

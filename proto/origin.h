/*
 * Which web pages may talk to us: the Origin header against an exact list, on upgrades
 * and on HTTP alike. Without a list only pages of the same host may. Programs that are no
 * browsers send no Origin and pass. Pure.
 */
#ifndef PROTO_ORIGIN_H
#define PROTO_ORIGIN_H

#include "proto/forwarded.h"

/* The texts are lent by what was parsed. */
struct origin_list {
    struct slice items[LIMIT_ORIGINS];
    size_t count; /* 0: pages of the same host */
    bool allows_any;
};

enum origin_verdict {
    ORIGIN_ABSENT,
    ORIGIN_SAME_HOST,
    ORIGIN_LISTED,
    ORIGIN_ANY, /* only because everything is allowed */
    ORIGIN_REFUSED,
};

/*
 * "https://app.example.com,http://localhost:3000", separated by commas; `null` for pages
 * without an origin; `insecure:*` for every page. Written as browsers send it, since it
 * is compared byte by byte. ST_BAD_PAYLOAD: `*bad` is the item at fault and `*reason` a
 * string literal that says what to write.
 */
enum status origin_list_parse(struct slice text, struct origin_list *list,
                              struct slice *bad, const char **reason);

/*
 * A request with a cookie and without Origin is refused where a browser would have sent
 * one: an upgrade, or a method other than GET, HEAD and OPTIONS.
 */
enum origin_verdict origin_judge(const struct origin_list *list,
                                 const struct http_head *head,
                                 const struct forwarded *forwarded);

/* CORS: a browser asks, before the request itself, whether it may be sent. */
bool origin_is_preflight(const struct http_head *head);

#endif

/*
 * Who asks, and for which host, as far as listed proxies vouch for it: X-Forwarded-For,
 * X-Forwarded-Proto and X-Forwarded-Host, or Forwarded (RFC 7239). A header that did not
 * come through a listed proxy says nothing. Pure.
 *
 * The client is the rightmost address that is not itself a listed proxy: what stands
 * further left was written by the client and may say anything. The two headers may not
 * name different clients: a proxy that sets only one of them would pass on the other as
 * the client wrote it.
 */
#ifndef PROTO_FORWARDED_H
#define PROTO_FORWARDED_H

#include "proto/http_gate.h"
#include "proto/ip_prefix.h"

enum http_scheme {
    HTTP_SCHEME_UNKNOWN, /* TLS may end at a proxy that is not listed */
    HTTP_SCHEME_HTTP,
    HTTP_SCHEME_HTTPS,
};

/* Slices are lent by the head. */
struct forwarded {
    struct ip_address client;
    bool is_through_proxy; /* the peer is a listed proxy */
    struct slice host;     /* as the browser wrote it: "app.example.com:8443" */
    enum http_scheme scheme;
};

/* ST_BAD_REQUEST: the two headers contradict each other; `*reason` is a string literal.
 */
enum status forwarded_read(const struct http_head *head,
                           const struct ip_prefix_list *proxies,
                           const struct ip_address *peer, struct forwarded *forwarded,
                           const char **reason);

#endif

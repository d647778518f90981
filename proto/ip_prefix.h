/*
 * Internet addresses and prefixes (CIDR) of them, IPv4 and IPv6 alike: an IPv4 address is
 * held as the IPv6 address it is mapped to. Pure.
 */
#ifndef PROTO_IP_PREFIX_H
#define PROTO_IP_PREFIX_H

#include "proto/limits.h"
#include "proto/slice.h"
#include "proto/status.h"

enum {
    IP_TEXT_BYTES = 46, /* the longest address and its terminator: INET6_ADDRSTRLEN */
};

struct ip_address {
    unsigned char bytes[16]; /* ::ffff:a.b.c.d for IPv4 */
};

struct ip_prefix {
    struct ip_address address;
    unsigned bits; /* of the 128 */
};

struct ip_prefix_list {
    struct ip_prefix items[LIMIT_TRUSTED_PROXIES];
    size_t count;
};

/* "10.1.2.3", "2001:db8::1", without port, brackets or zone. */
bool ip_address_parse(struct slice text, struct ip_address *address);
/* An IPv4 address as such. */
void ip_address_print(const struct ip_address *address, char out[IP_TEXT_BYTES]);
bool ip_address_equal(const struct ip_address *a, const struct ip_address *b);
/* 127.0.0.0/8 or ::1 */
bool ip_address_is_loopback(const struct ip_address *address);
/* What one household or server has: an IPv4 address, or the /64 of an IPv6 one. */
struct ip_address ip_address_site(const struct ip_address *address);

/* "10.0.0.0/8", "fd00::/8", or an address alone. */
bool ip_prefix_parse(struct slice text, struct ip_prefix *prefix);
bool ip_prefix_matches(const struct ip_prefix *prefix, const struct ip_address *address);

/* Separated by commas; empty is no prefix. ST_BAD_PAYLOAD: `*bad` is the item at fault;
 * ST_LIMIT: there are too many. */
enum status ip_prefix_list_parse(struct slice text, struct ip_prefix_list *list,
                                 struct slice *bad);
bool ip_prefix_list_has(const struct ip_prefix_list *list,
                        const struct ip_address *address);

#endif

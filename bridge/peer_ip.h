/* The address of a peer as text. Any thread. */
#ifndef BRIDGE_PEER_IP_H
#define BRIDGE_PEER_IP_H

#include "proto/ip_prefix.h"

#include <netinet/in.h>

/* "127.0.0.1", "::1"; an IPv4 peer of an IPv6 listener is IPv4; "-" for anything else. */
void peer_ip(const struct sockaddr *peer, socklen_t len, char out[INET6_ADDRSTRLEN]);

/* The same as bytes; all zero for anything else. */
struct ip_address peer_address(const struct sockaddr *peer, socklen_t len);

#endif

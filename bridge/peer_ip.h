/* The address of a peer as text. Any thread. */
#ifndef BRIDGE_PEER_IP_H
#define BRIDGE_PEER_IP_H

#include <netinet/in.h>

/* "127.0.0.1", "::1"; an IPv4 peer of an IPv6 listener is IPv4; "-" for anything else. */
void peer_ip(const struct sockaddr *peer, socklen_t len, char out[INET6_ADDRSTRLEN]);

#endif

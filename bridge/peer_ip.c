/* The address of a peer: see the header. */
#include "bridge/peer_ip.h"

#include <arpa/inet.h>
#include <string.h>

void peer_ip(const struct sockaddr *peer, socklen_t len, char out[INET6_ADDRSTRLEN])
{
    memcpy(out, "-", 2);
    if (len >= sizeof(struct sockaddr_in) && peer->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, out, INET6_ADDRSTRLEN);
    }
    if (len >= sizeof(struct sockaddr_in6) && peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, &v6.sin6_addr, out, INET6_ADDRSTRLEN);
    }
}

struct ip_address peer_address(const struct sockaddr *peer, socklen_t len)
{
    struct ip_address address = {.bytes = {0}};

    if (len >= sizeof(struct sockaddr_in) && peer->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof v4);
        address.bytes[10] = address.bytes[11] = 0xff;
        memcpy(address.bytes + 12, &v4.sin_addr, sizeof v4.sin_addr);
    }
    if (len >= sizeof(struct sockaddr_in6) && peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof v6);
        memcpy(address.bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
    }
    return address;
}

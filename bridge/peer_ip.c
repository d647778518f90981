/* The address of a peer: see the header. */
#include "bridge/peer_ip.h"

#include <string.h>

/* False: it has none that we know. */
static bool read_address(const struct sockaddr *peer, socklen_t len,
                         struct ip_address *address)
{
    *address = (struct ip_address){.bytes = {0}};
    if (len >= sizeof(struct sockaddr_in) && peer->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof v4);
        address->bytes[10] = address->bytes[11] = 0xff;
        memcpy(address->bytes + 12, &v4.sin_addr, sizeof v4.sin_addr);
        return true;
    }
    if (len >= sizeof(struct sockaddr_in6) && peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof v6);
        memcpy(address->bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
        return true;
    }
    return false;
}

void peer_ip(const struct sockaddr *peer, socklen_t len, char out[INET6_ADDRSTRLEN])
{
    struct ip_address address;

    if (read_address(peer, len, &address))
        ip_address_print(&address, out);
    else
        memcpy(out, "-", 2);
}

struct ip_address peer_address(const struct sockaddr *peer, socklen_t len)
{
    struct ip_address address;

    read_address(peer, len, &address);
    return address;
}

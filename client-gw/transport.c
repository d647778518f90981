/* The direct way to a socket: see the header. */
#include "client-gw/transport.h"

#include <sys/socket.h>

size_t transport_send(int direct_fd, struct slice wire)
{
    ssize_t n = send(direct_fd, wire.ptr, wire.len, MSG_NOSIGNAL | MSG_DONTWAIT);

    return n > 0 ? (size_t)n : 0;
}

/* The kernel's counters: see the header. On its own, since the kernel's tcp.h and libc's
 * do not mix. */
#include "bridge/socket_bytes.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

uint64_t socket_bytes_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0
               ? info.tcpi_bytes_received
               : 0;
}

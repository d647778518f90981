/* What the kernel has counted on a socket. Any thread. */
#ifndef BRIDGE_SOCKET_BYTES_H
#define BRIDGE_SOCKET_BYTES_H

#include <stdint.h>

/* Bytes received on a TCP connection since it began, read by us or not; 0 on other
 * sockets. */
uint64_t socket_bytes_received(int fd);

#endif

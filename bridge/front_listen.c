/* Listening sockets: see front.h. */
#include "bridge/front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

/* "127.0.0.1:7410" or "[::1]:0". The length of the address, or 0. */
static socklen_t parse(const char *text, union address *address)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool is_v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
    char host[INET6_ADDRSTRLEN];
    uint64_t port;

    if (is_v6) {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof host || !slice_to_u64(slice_of(colon + 1), &port) ||
        port > 65535)
        return 0;
    memcpy(host, text, len);
    host[len] = '\0';

    memset(address, 0, sizeof *address);
    if (is_v6) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1 ? sizeof address->v6
                                                                      : 0;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 ? sizeof address->v4 : 0;
}

bool front_address_is_valid(const char *address)
{
    union address parsed;

    return parse(address, &parsed) > 0;
}

static const char *explain(int error)
{
    switch (error) {
    case EADDRINUSE: return "the port is taken";
    case EACCES: return "the port needs privileges";
    case EADDRNOTAVAIL: return "this machine has no such address";
    case EMFILE:
    case ENFILE: return "no descriptor is free";
    default: return "the system refuses to listen there";
    }
}

static bool set_options(int fd, bool shared, int family)
{
    const int on = 1;
    const int off = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return false;
    return family != AF_INET6 ||
           setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
}

int front_listen(const char *address, bool shared, const char **reason)
{
    union address parsed;
    socklen_t len = parse(address, &parsed);

    if (len == 0) {
        *reason = "the address is not IP:PORT or [IPv6]:PORT";
        return -1;
    }
    int fd = socket(parsed.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *reason = explain(errno);
        return -1;
    }
    if (!set_options(fd, shared, parsed.any.sa_family) ||
        bind(fd, &parsed.any, len) != 0 || listen(fd, BACKLOG) != 0) {
        *reason = explain(errno);
        close(fd);
        return -1;
    }
    return fd;
}

void front_address(int fd, char out[64])
{
    union address address = {.storage = {0}};
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN];

    out[0] = '\0';
    if (getsockname(fd, &address.any, &len) != 0)
        return;
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
        snprintf(out, 64, "[%s]:%u", host, ntohs(address.v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
        snprintf(out, 64, "%s:%u", host, ntohs(address.v4.sin_port));
    }
}

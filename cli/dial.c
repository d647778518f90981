/* Blocking connections: see the header. */
#include "cli/dial.h"

#include "bridge/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool copy(struct slice from, char *out, size_t size)
{
    if (from.len == 0 || from.len >= size)
        return false;
    memcpy(out, from.ptr, from.len);
    out[from.len] = '\0';
    return true;
}

static bool split(struct slice authority, struct slice *host, struct slice *port)
{
    *port = SLICE("80");
    if (slice_starts_with(authority, "[")) {
        struct slice rest;
        if (!slice_cut(slice_from(authority, 1), ']', host, &rest))
            return false;
        if (rest.len > 0 && rest.ptr[0] != ':')
            return false;
        if (rest.len > 0)
            *port = slice_from(rest, 1);
        return true;
    }
    if (!slice_cut(authority, ':', host, port))
        *port = SLICE("80");
    return true;
}

bool dial_parse(const char *url, struct dial_address *address,
                char error[DIAL_ERROR_BYTES])
{
    struct slice text = slice_of(url), authority, path, host, port;
    uint64_t number;

    if (slice_starts_with(text, "https://") || slice_starts_with(text, "wss://")) {
        snprintf(error, DIAL_ERROR_BYTES,
                 "this tool speaks no TLS: give the http:// address behind the proxy");
        return false;
    }
    if (slice_starts_with(text, "http://"))
        text = slice_from(text, strlen("http://"));
    slice_cut(text, '/', &authority, &path);
    if (path.len > 0 || !split(authority, &host, &port) || !slice_to_u64(port, &number) ||
        number == 0 || number > UINT16_MAX ||
        !copy(host, address->host, sizeof address->host) ||
        !copy(port, address->port, sizeof address->port) ||
        !copy(authority, address->authority, sizeof address->authority) ||
        strpbrk(url, " \r\n\t")) {
        snprintf(
            error, DIAL_ERROR_BYTES,
            "\"%.100s\" is no address of a server: write it as http://127.0.0.1:7411",
            url);
        return false;
    }
    return true;
}

static int connect_one(const struct addrinfo *to)
{
    struct timeval limit = {.tv_sec = DIAL_TIMEOUT_MS / 1000};
    int yes = 1;
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol);

    if (fd < 0)
        return -1;
    /* On Linux the send timeout bounds connect() too. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return fd;
    int failure = errno;
    close(fd);
    errno = failure == EINPROGRESS ? ETIMEDOUT : failure;
    return -1;
}

int dial_open(const struct dial_address *address, char error[DIAL_ERROR_BYTES])
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;
    int code = getaddrinfo(address->host, address->port, &hints, &found);

    for (const struct addrinfo *to = found; !code && to && fd < 0; to = to->ai_next)
        fd = connect_one(to);
    if (fd < 0)
        snprintf(error, DIAL_ERROR_BYTES, "no server at %s: %s", address->authority,
                 code ? gai_strerror(code) : strerror(errno));
    if (found)
        freeaddrinfo(found);
    return fd;
}

enum status dial_wait(int fd, uint64_t deadline_ms)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int wait = -1;

        if (deadline_ms) {
            uint64_t now = clock_ms();
            uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
            wait = left > INT32_MAX ? INT32_MAX : (int)left;
        }
        int ready = poll(&poll_fd, 1, wait);
        if (ready > 0)
            return ST_OK;
        if (ready == 0)
            return ST_TIMEOUT;
        if (errno != EINTR)
            return ST_UNAVAILABLE;
    }
}

enum status dial_write(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ST_UNAVAILABLE;
        bytes = slice_from(bytes, (size_t)n);
    }
    return ST_OK;
}

enum status dial_read(int fd, char *out, size_t size, uint64_t deadline_ms, size_t *got)
{
    for (;;) {
        enum status st = dial_wait(fd, deadline_ms);
        if (st)
            return st;
        ssize_t n = recv(fd, out, size, 0);
        if (n >= 0) {
            *got = (size_t)n;
            return ST_OK;
        }
        if (errno != EINTR)
            return ST_UNAVAILABLE;
    }
}

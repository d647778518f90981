/* Connections of a load: see the header. */
#include "cli/load_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PORTS_PER_SOURCE = 20000, /* an address has about 28,000 */
    SPARE_FILES = 64
};

bool load_peer_find(const char *url, struct load_peer *peer, char error[DIAL_ERROR_BYTES])
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct dial_address address;

    if (!dial_parse(url, &address, error))
        return false;
    int code = getaddrinfo(address.host, address.port, &hints, &found);
    if (code || !found) {
        snprintf(error, DIAL_ERROR_BYTES, "no server at %s: %s", address.authority,
                 gai_strerror(code));
        return false;
    }
    memcpy(&peer->address, found->ai_addr, found->ai_addrlen);
    peer->len = found->ai_addrlen;
    freeaddrinfo(found);
    snprintf(peer->authority, sizeof peer->authority, "%s", address.authority);
    return true;
}

bool load_may_open(size_t count, size_t *limit)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files))
        return false;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    *limit = files.rlim_max > SPARE_FILES ? (size_t)files.rlim_max - SPARE_FILES : 0;
    return count <= *limit;
}

/* 127.0.0.1, 127.0.0.2…: only where the peer is on the loopback, too. */
static void bind_source(int fd, const struct load_peer *peer, size_t source)
{
    const struct sockaddr_in *to = (const struct sockaddr_in *)&peer->address;
    struct sockaddr_in from = {.sin_family = AF_INET};
    int yes = 1;

    if (source < PORTS_PER_SOURCE || to->sin_family != AF_INET ||
        ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        return;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(source / PORTS_PER_SOURCE));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    /* Without it the kernel chooses, as long as it has ports. */
    (void)bind(fd, (struct sockaddr *)&from, sizeof from);
}

enum status load_link_open(struct load_link *link, const struct load_peer *peer,
                           size_t source, int epoll)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = link};
    int yes = 1;

    link->carry = (struct buf){.max = LOAD_MESSAGE_BYTES};
    link->out = (struct buf){.max = LOAD_MESSAGE_BYTES};
    link->wants_to_write = true;
    link->fd =
        socket(peer->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return ST_UNAVAILABLE;
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bind_source(link->fd, peer, source);
    if ((connect(link->fd, (const struct sockaddr *)&peer->address, peer->len) &&
         errno != EINPROGRESS) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event)) {
        load_link_close(link);
        return ST_UNAVAILABLE;
    }
    return ST_OK;
}

void load_link_close(struct load_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    buf_finish(&link->carry);
    buf_finish(&link->out);
}

int load_link_failure(const struct load_link *link)
{
    int failure = 0;
    socklen_t len = sizeof failure;

    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &failure, &len))
        return errno;
    return failure;
}

enum status load_link_receive(struct load_link *link, char scratch[LOAD_SCRATCH_BYTES],
                              struct slice *bytes)
{
    size_t held = link->carry.len;

    if (held > 0)
        memcpy(scratch, link->carry.ptr, held);
    ssize_t n = recv(link->fd, scratch + held, LOAD_SCRATCH_BYTES - held, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return ST_AGAIN;
    if (n <= 0)
        return ST_UNAVAILABLE;
    *bytes = (struct slice){scratch, held + (size_t)n};
    return ST_OK;
}

enum status load_link_keep(struct load_link *link, struct slice rest)
{
    if (rest.len == 0) {
        if (link->carry.cap > 0)
            buf_finish(&link->carry);
        return ST_OK;
    }
    buf_clear(&link->carry);
    buf_add(&link->carry, rest);
    return buf_status(&link->carry);
}

static void want_to_write(struct load_link *link, int epoll, bool wants)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};

    if (link->wants_to_write == wants)
        return;
    link->wants_to_write = wants;
    if (wants)
        event.events |= EPOLLOUT;
    epoll_ctl(epoll, EPOLL_CTL_MOD, link->fd, &event);
}

/* Gives how many bytes went, or -1. */
static ssize_t send_some(const struct load_link *link, struct slice bytes)
{
    ssize_t n = send(link->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n;
}

enum status load_link_send(struct load_link *link, struct slice bytes, int epoll)
{
    ssize_t n = link->out.len == 0 ? send_some(link, bytes) : 0;

    if (n < 0)
        return ST_UNAVAILABLE;
    if ((size_t)n < bytes.len) {
        buf_add(&link->out, slice_from(bytes, (size_t)n));
        want_to_write(link, epoll, true);
    }
    return buf_status(&link->out);
}

enum status load_link_flush(struct load_link *link, int epoll)
{
    if (link->out.len > 0) {
        ssize_t n = send_some(link, buf_slice(&link->out));
        if (n < 0)
            return ST_UNAVAILABLE;
        buf_consume(&link->out, (size_t)n);
    }
    if (link->out.len == 0) {
        buf_finish(&link->out);
        want_to_write(link, epoll, false);
    }
    return ST_OK;
}

void load_link_pause(struct load_link *link, int epoll)
{
    if (link->fd >= 0)
        epoll_ctl(epoll, EPOLL_CTL_DEL, link->fd, NULL);
}

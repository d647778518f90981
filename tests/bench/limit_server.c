/*
 * The limit that fan-out is measured against: one send() of a ready frame per client over
 * a dense array of sockets, and nothing else. It accepts WebSocket upgrades, and listens
 * on a second port for its one controller, who says the length of a frame (4 bytes,
 * little endian) and the frame: it goes to all, at once. Prints both ports, and ends when
 * its controller hangs up.
 */
#include "bridge/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_FD = 65536,
    HEAD_BYTES = 4096,
    FRAME_BYTES = 1 << 20,
    EVENTS = 256,
};

struct limit_server {
    int epoll, listener, control_listener, control;
    int clients[MAX_FD]; /* dense */
    int place[MAX_FD];   /* of a descriptor in `clients`, or -1 */
    int count;
    char frame[FRAME_BYTES];
    size_t frame_len;
};

static void die(const char *what)
{
    fprintf(stderr, "limit_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct limit_server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

static int listen_anywhere(struct limit_server *server)
{
    const char *reason = "";
    char address[64];
    int fd = front_listen("127.0.0.1:0", false, &reason);

    if (fd < 0)
        die(reason);
    front_address(fd, address);
    printf("%s\n", address);
    watch(server, fd);
    return fd;
}

/* --- who is there */

static void accept_all(struct limit_server *server)
{
    int fd;

    while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD)
            die("too many clients");
        server->place[fd] = -1;
        watch(server, fd);
    }
}

static void forget(struct limit_server *server, int fd)
{
    int place = server->place[fd];

    if (place >= 0) {
        int last = server->clients[--server->count];
        server->clients[place] = last;
        server->place[last] = place;
    }
    close(fd);
}

/* Waits for the whole head, answers, and counts the client in. The answer is the one to
 * the key of RFC 6455 §1.3, which the clients of a load always send. */
static void upgrade(struct limit_server *server, int fd)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: "
                                 "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    char head[HEAD_BYTES];
    ssize_t n = recv(fd, head, sizeof head, MSG_PEEK);

    if (n <= 0) {
        forget(server, fd);
        return;
    }
    const char *end = memmem(head, (size_t)n, "\r\n\r\n", 4);
    if (!end)
        return;
    if (recv(fd, head, (size_t)(end + 4 - head), 0) < 0 ||
        send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) != sizeof answer - 1)
        die("upgrade");
    server->place[fd] = server->count;
    server->clients[server->count++] = fd;
}

static void hear(struct limit_server *server, int fd)
{
    char ignored[HEAD_BYTES];

    if (server->place[fd] < 0)
        upgrade(server, fd);
    else if (recv(fd, ignored, sizeof ignored, 0) == 0)
        forget(server, fd);
}

/* --- what it is for */

static void send_to_all(const struct limit_server *server)
{
    for (int i = 0; i < server->count; i++)
        if (send(server->clients[i], server->frame, server->frame_len,
                 MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)server->frame_len)
            die("a client is too slow: this would not be the limit");
}

static void read_control(struct limit_server *server, void *out, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = recv(server->control, (char *)out + got, len - got, 0);
        if (n <= 0)
            exit(0); /* the controller has gone: all is done */
        got += (size_t)n;
    }
}

static void obey(struct limit_server *server)
{
    unsigned char size[4];

    read_control(server, size, sizeof size);
    server->frame_len = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 |
                        (size_t)size[3] << 24;
    if (server->frame_len > FRAME_BYTES)
        die("a frame that is too large");
    read_control(server, server->frame, server->frame_len);
    send_to_all(server);
}

static void turn(struct limit_server *server)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(server->epoll, events, EVENTS, -1);

    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        if (fd == server->listener) {
            accept_all(server);
        } else if (fd == server->control_listener) {
            server->control = accept4(fd, NULL, NULL, 0);
            watch(server, server->control);
        } else if (fd == server->control) {
            obey(server);
        } else {
            hear(server, fd);
        }
    }
}

int main(void)
{
    static struct limit_server server;

    server.epoll = epoll_create1(0);
    server.control = -1;
    if (server.epoll < 0)
        die("epoll_create1");
    server.listener = listen_anywhere(&server);
    server.control_listener = listen_anywhere(&server);
    fflush(stdout);
    for (;;)
        turn(&server);
}

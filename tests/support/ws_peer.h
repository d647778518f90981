/* A WebSocket client for tests: blocking in looks, but the server's loop is turned while
 * it waits. */
#ifndef TESTS_SUPPORT_WS_PEER_H
#define TESTS_SUPPORT_WS_PEER_H

#include "proto/slice.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum {
    PEER_BYTES = 1 << 20,
    PEER_WAIT_MS = 5000,
};

struct ws_peer {
    uv_loop_t *loop;
    int fd;
    size_t len;
    char bytes[PEER_BYTES];
    unsigned opcode; /* of the last frame */
    bool is_closed;  /* the server has closed the socket */
};

static inline void peer_turn(struct ws_peer *peer)
{
    uv_run(peer->loop, UV_RUN_NOWAIT);
    ssize_t n =
        recv(peer->fd, peer->bytes + peer->len, PEER_BYTES - peer->len, MSG_DONTWAIT);
    if (n > 0)
        peer->len += (size_t)n;
    else if (n == 0)
        peer->is_closed = true;
}

static inline void peer_wait(struct ws_peer *peer, unsigned ms)
{
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;

    while (uv_hrtime() < end) {
        peer_turn(peer);
        usleep(200);
    }
}

static inline struct ws_peer *peer_create(uv_loop_t *loop, uint16_t port)
{
    struct ws_peer *peer = calloc(1, sizeof *peer);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->loop = loop;
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Without it a second small frame waits for the server's delayed acknowledgement. */
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(peer->fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    return peer;
}

static inline void peer_destroy(struct ws_peer *peer)
{
    close(peer->fd);
    free(peer);
}

/* Sends the upgrade request and gives the status of the answer; the answer's head is
 * consumed. */
static inline int peer_upgrade(struct ws_peer *peer, const char *target,
                               const char *fields)
{
    char head[8192];
    int len = snprintf(head, sizeof head,
                       "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       target, fields);

    if (send(peer->fd, head, (size_t)len, MSG_NOSIGNAL) != len)
        abort();
    for (int i = 0;
         i < PEER_WAIT_MS * 5 && !memmem(peer->bytes, peer->len, "\r\n\r\n", 4); i++) {
        peer_turn(peer);
        usleep(200);
    }
    char *end = memmem(peer->bytes, peer->len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    int status = atoi(peer->bytes + 9);
    if (status == 101) {
        size_t used = (size_t)(end + 4 - peer->bytes);
        memmove(peer->bytes, peer->bytes + used, peer->len - used);
        peer->len -= used;
    }
    return status;
}

/* `first` is the byte that tells the opcode, and with 0x80 the last frame of a message.
 */
static inline void peer_send_frame(struct ws_peer *peer, unsigned first, const char *text)
{
    size_t len = strlen(text);
    unsigned char frame[8192] = {(unsigned char)first};
    size_t at = 2;

    if (len > 7000)
        abort();
    if (len < 126) {
        frame[1] = (unsigned char)(0x80 | len);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(len >> 8);
        frame[3] = (unsigned char)len;
        at = 4;
    }
    memset(frame + at, 0, 4); /* a mask of zeros leaves the text as it is */
    memcpy(frame + at + 4, text, len);
    if (send(peer->fd, frame, at + 4 + len, MSG_NOSIGNAL) < 0)
        peer->is_closed = true;
}

static inline void peer_send(struct ws_peer *peer, unsigned opcode, const char *text)
{
    peer_send_frame(peer, 0x80 | opcode, text);
}

/* One whole frame's payload, lent until the next call; empty with opcode 0 when none
 * came. */
static inline bool peer_take(struct ws_peer *peer, char *out, size_t room)
{
    const unsigned char *p = (const unsigned char *)peer->bytes;
    size_t header = 2;
    size_t len;

    if (peer->len < 2)
        return false;
    len = p[1] & 0x7f;
    if (len == 126) {
        if (peer->len < 4)
            return false;
        len = (size_t)p[2] << 8 | p[3];
        header = 4;
    } else if (len == 127) {
        if (peer->len < 10)
            return false;
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | p[i];
        header = 10;
    }
    if (peer->len < header + len || len >= room)
        return false;
    peer->opcode = p[0] & 0x0f;
    memcpy(out, peer->bytes + header, len);
    out[len] = '\0';
    memmove(peer->bytes, peer->bytes + header + len, peer->len - header - len);
    peer->len -= header + len;
    return true;
}

/* The next frame's payload as a string; "(none)" when none comes in time. */
static inline const char *peer_read(struct ws_peer *peer, char *out, size_t room)
{
    for (int i = 0; i < PEER_WAIT_MS * 5; i++) {
        if (peer_take(peer, out, room))
            return out;
        if (peer->is_closed)
            break;
        peer_turn(peer);
        usleep(200);
    }
    snprintf(out, room, "(none)");
    return out;
}

#endif

/*
 * A non-blocking connection of a load, made for many: reading goes through one buffer
 * that all share, and a connection has memory of its own only while half a message waits.
 * One thread.
 */
#ifndef CLI_LOAD_LINK_H
#define CLI_LOAD_LINK_H

#include "cli/dial.h"
#include "proto/buf.h"

#include <sys/socket.h>

enum {
    LOAD_SCRATCH_BYTES = 1024 * 1024,
    LOAD_MESSAGE_BYTES =
        LOAD_SCRATCH_BYTES / 2 /* the longest that may wait for its end */
};

/* Where to: resolved once for all connections. */
struct load_peer {
    struct sockaddr_storage address;
    socklen_t len;
    char authority[DIAL_HOST_BYTES + DIAL_PORT_BYTES + 3];
};

/* "http://127.0.0.1:7410". False: `error` is a sentence. */
bool load_peer_find(const char *url, struct load_peer *peer,
                    char error[DIAL_ERROR_BYTES]);

/* Raises the limit of open files, and says whether `count` connections fit. */
bool load_may_open(size_t count, size_t *limit);

struct load_link {
    int fd; /* -1: not open */
    bool wants_to_write;
    /* Something is ready: EPOLLIN, EPOLLOUT, EPOLLERR… */
    void (*on_ready)(struct load_link *link, uint32_t events);
    struct buf carry; /* the beginning of a message */
    struct buf out;   /* what the socket did not take */
};

/*
 * Begins to connect; `on_ready` gets EPOLLOUT when it is done, or EPOLLERR. `source`
 * chooses among the addresses of the loopback when one has no ports left. The link must
 * stay where it is until load_link_close.
 */
enum status load_link_open(struct load_link *link, const struct load_peer *peer,
                           size_t source, int epoll);
/* Idempotent. */
void load_link_close(struct load_link *link);

/* After the first EPOLLOUT: 0, or the errno of the failure. */
int load_link_failure(const struct load_link *link);

/*
 * Lends, in `scratch`, what waited and what came. ST_AGAIN: nothing came. ST_UNAVAILABLE:
 * the peer is gone. Then load_link_keep what was not used.
 */
enum status load_link_receive(struct load_link *link, char scratch[LOAD_SCRATCH_BYTES],
                              struct slice *bytes);
enum status load_link_keep(struct load_link *link, struct slice rest);

/* Sends at once what the socket takes; the rest when it takes more (load_link_flush, at
 * EPOLLOUT). */
enum status load_link_send(struct load_link *link, struct slice bytes, int epoll);
enum status load_link_flush(struct load_link *link, int epoll);

/* No more reading, as a client that is asleep; the peer's bytes pile up. */
void load_link_pause(struct load_link *link, int epoll);

#endif

/*
 * What the files of fd_pass share: fd_pass.c its socket and what comes by it,
 * fd_pass_send.c what goes and what waits. Loop thread only.
 */
#ifndef BRIDGE_FD_PASS_PARTS_H
#define BRIDGE_FD_PASS_PARTS_H

#include "bridge/fd_pass.h"

#include <sys/un.h>

enum {
    FD_PASS_BATCH = 32 /* sockets in one datagram */
};

/* What a datagram says; anything else is none of ours. */
#define FD_PASS_WORDS "sidecast pass 1"

struct parcel;

struct fd_pass {
    struct fd_pass_config config;
    char folder[sizeof((struct sockaddr_un *)0)->sun_path];
    char name[FD_PASS_NAME_BYTES];
    char mark_file[FD_PASS_NAME_BYTES]; /* empty: none is claimed */
    dev_t device; /* of our file, so that we remove no other one's */
    ino_t inode;
    int fd;
    const struct fd_pass_events *events; /* NULL: not started */
    void *ctx;
    uv_poll_t poll;
    uv_timer_t retry;
    struct parcel *waiting; /* the oldest first; NULL: none has had to yet */
    size_t waiting_count;
    unsigned open_handles;
    bool is_stopped;
};

/* False: the path is too long. */
bool fd_pass_address(const struct fd_pass *pass, const char *file,
                     struct sockaddr_un *address);

void fd_pass_retry(uv_timer_t *timer);
/* Gives all that waits back. */
void fd_pass_return_all(struct fd_pass *pass, enum status why);

#endif

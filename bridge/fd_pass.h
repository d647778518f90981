/*
 * Clients' sockets, handed from one process of this machine to another with what they
 * have sent still unread: a request that came to the wrong process goes to the one that
 * can answer it. Each process has a datagram socket in a folder that this user alone may
 * enter (`g1.pass`); the kernel carries the descriptors (SCM_RIGHTS). Loop thread only.
 *
 * The kernel's queue of such a socket is short (often 10), so what does not fit waits
 * here, and goes on in batches.
 */
#ifndef BRIDGE_FD_PASS_H
#define BRIDGE_FD_PASS_H

#include "bridge/logger.h"
#include "bridge/metrics.h"
#include "proto/status.h"

#include <sys/socket.h>
#include <uv.h>

enum {
    FD_PASS_NAME_BYTES = 32,
    FD_PASS_MARK_BYTES = 3 /* two characters of base64url and a terminator */
};

struct fd_pass;

struct fd_pass_config {
    uv_loop_t *loop;
    const struct logger *log;
    struct metrics *metrics;
    const char *folder; /* copied; made when it is absent */
    const char *name;   /* "g1": copied */
};

/* Who gets a socket. A file of the folder: use the makers below. */
struct fd_pass_owner {
    char file[FD_PASS_NAME_BYTES];
    /* Whether an owner that is not there is waited for: it is being started again. */
    bool is_waited_for;
};

/* "publisher" */
struct fd_pass_owner fd_pass_owner_named(const char *name);
/* Of the process that has claimed the mark; false: it is none. */
bool fd_pass_owner_marked(const char mark[2], struct fd_pass_owner *owner);

/*
 * Gives this process' end (fd_pass_destroy), where sockets wait until fd_pass_start; or
 * NULL and `*reason`, a string literal. One that has the same name already gets nothing
 * from now on.
 */
struct fd_pass *fd_pass_create(const struct fd_pass_config *config, const char **reason);
void fd_pass_destroy(struct fd_pass *pass);

/*
 * Claims a mark of two characters in the folder. The same name gets the same mark as long
 * as the folder is there; two names never share one. False: all are taken.
 */
bool fd_pass_claim_mark(struct fd_pass *pass, char mark[FD_PASS_MARK_BYTES]);
/* What a name would get in an empty folder. */
void fd_pass_mark_of(const char *name, char mark[FD_PASS_MARK_BYTES]);

struct fd_pass_events {
    /* Takes `fd`: a client's TCP socket that does not block. Lends the peer's address. */
    void (*on_socket)(void *ctx, int fd, const struct sockaddr *peer, socklen_t len);
    /* Takes `fd`, which its owner did not get: ST_UNAVAILABLE: it is not there; ST_BUSY:
     * it takes no more. */
    void (*on_return)(void *ctx, int fd, enum status why);
};

/* Sockets may come from now on. Keeps `events`. False: the loop cannot watch. */
bool fd_pass_start(struct fd_pass *pass, const struct fd_pass_events *events, void *ctx);
/* Idempotent. What others have sent already still comes, within the call; then nothing
 * does. What waits here is returned with ST_DRAINING. */
void fd_pass_stop(struct fd_pass *pass);

/*
 * Borrows `owner`. ST_OK takes `fd`, a connected socket without handles: its owner gets
 * it, or it returns. Else it stays the caller's: ST_NOT_FOUND: there is no such owner,
 * and it is not waited for; ST_BUSY: too many wait.
 */
enum status fd_pass_send(struct fd_pass *pass, const struct fd_pass_owner *owner, int fd);

#endif

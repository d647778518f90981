/*
 * Sockets on their way to another process. Sent at once where the owner's queue has room;
 * else they wait in line, and a timer offers them again, as many as fit in a datagram.
 */
#include "bridge/fd_pass_parts.h"

#include "bridge/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RETRY_MS = 2,
    PATIENCE_MS = 1000,
    MAX_WAITING = 1024,
};

/* A socket that waits for its owner. */
struct parcel {
    struct list_node node; /* first: see list.h */
    struct fd_pass_owner owner;
    int fd;
    bool is_owner_absent; /* as last tried */
    uint64_t deadline;
};

struct fd_pass_owner fd_pass_owner_named(const char *name)
{
    struct fd_pass_owner owner = {.is_waited_for = true};

    snprintf(owner.file, sizeof owner.file, "%s.pass", name);
    return owner;
}

/* ST_OK: the sockets are its owner's, and copies are still open here. */
static enum status send_batch(struct fd_pass *pass, const char *file, const int *fds,
                              size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FD_PASS_BATCH * sizeof(int))];
    } control;
    struct sockaddr_un address;
    struct iovec words = {FD_PASS_WORDS, sizeof FD_PASS_WORDS - 1};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = sizeof address,
        .msg_iov = &words,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(count * sizeof *fds),
    };

    if (!fd_pass_address(pass, file, &address))
        return ST_NOT_FOUND;
    memset(&control, 0, sizeof control);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
    if (sendmsg(pass->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        metrics_add(pass->config.metrics, METRIC_SOCKETS_PASSED, (int64_t)count);
        return ST_OK;
    }
    /* ETOOMANYREFS: as many descriptors are on their way as one user may have. */
    bool is_full = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ||
                   errno == EINTR || errno == ETOOMANYREFS;
    return is_full ? ST_BUSY : ST_NOT_FOUND;
}

static bool wait_in_line(struct fd_pass *pass, const struct fd_pass_owner *owner, int fd)
{
    struct parcel *parcel =
        pass->waiting_count < MAX_WAITING ? calloc(1, sizeof *parcel) : NULL;

    if (!parcel)
        return false;
    parcel->owner = *owner;
    parcel->fd = fd;
    parcel->deadline = clock_ms() + PATIENCE_MS;
    list_append(&pass->waiting, &parcel->node);
    pass->waiting_count++;
    if (!uv_is_active((uv_handle_t *)&pass->retry))
        uv_timer_start(&pass->retry, fd_pass_retry, RETRY_MS, RETRY_MS);
    return true;
}

enum status fd_pass_send(struct fd_pass *pass, const struct fd_pass_owner *owner, int fd)
{
    if (pass->is_stopped)
        return ST_DRAINING;
    enum status st = send_batch(pass, owner->file, &fd, 1);
    if (st == ST_OK) {
        close(fd);
        return ST_OK;
    }
    if (st == ST_NOT_FOUND && !owner->is_waited_for)
        return ST_NOT_FOUND;
    return wait_in_line(pass, owner, fd) ? ST_OK : ST_BUSY;
}

/* Gives its socket. */
static int parcel_open(struct fd_pass *pass, struct parcel *parcel)
{
    int fd = parcel->fd;

    list_remove(&parcel->node);
    pass->waiting_count--;
    free(parcel);
    return fd;
}

/* The oldest that wait for `owner`, as many as a datagram holds. */
static size_t gather(struct fd_pass *pass, const struct fd_pass_owner *owner,
                     struct parcel *batch[FD_PASS_BATCH])
{
    struct list_node *node = pass->waiting.next;
    size_t count = 0;

    for (; node != &pass->waiting && count < FD_PASS_BATCH; node = node->next)
        if (strcmp(((struct parcel *)node)->owner.file, owner->file) == 0)
            batch[count++] = (struct parcel *)node;
    return count;
}

/* Offers `owner` batches until it takes no more: what is left then moves to `tried`. */
static void offer(struct fd_pass *pass, struct fd_pass_owner owner,
                  struct list_node *tried)
{
    struct parcel *batch[FD_PASS_BATCH];
    int fds[FD_PASS_BATCH];
    enum status st = ST_OK;
    size_t count;

    while ((count = gather(pass, &owner, batch)) > 0) {
        for (size_t i = 0; i < count; i++)
            fds[i] = batch[i]->fd;
        if (st == ST_OK)
            st = send_batch(pass, owner.file, fds, count);
        for (size_t i = 0; i < count; i++) {
            if (st == ST_OK) {
                close(parcel_open(pass, batch[i]));
                continue;
            }
            batch[i]->is_owner_absent = st == ST_NOT_FOUND;
            list_append(tried, &batch[i]->node);
        }
    }
}

static void return_late(struct fd_pass *pass)
{
    struct list_node *node = pass->waiting.next;
    uint64_t now = clock_ms();

    while (node != &pass->waiting) {
        struct parcel *parcel = (struct parcel *)node;
        node = node->next;
        if (parcel->deadline > now)
            continue;
        enum status why = parcel->is_owner_absent ? ST_UNAVAILABLE : ST_BUSY;
        pass->events->on_return(pass->ctx, parcel_open(pass, parcel), why);
    }
}

void fd_pass_retry(uv_timer_t *timer)
{
    struct fd_pass *pass = timer->data;
    struct list_node tried;
    struct list_node *node;

    list_init(&tried);
    while ((node = list_first(&pass->waiting)))
        offer(pass, ((struct parcel *)node)->owner, &tried);
    while ((node = list_first(&tried)))
        list_append(&pass->waiting, node);
    return_late(pass);
    if (list_is_empty(&pass->waiting))
        uv_timer_stop(timer);
}

void fd_pass_return_all(struct fd_pass *pass, enum status why)
{
    struct list_node *node;

    while ((node = list_first(&pass->waiting))) {
        int fd = parcel_open(pass, (struct parcel *)node);
        if (pass->events)
            pass->events->on_return(pass->ctx, fd, why);
        else
            close(fd);
    }
}

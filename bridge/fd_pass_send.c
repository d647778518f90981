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
    struct fd_pass_owner owner;
    int fd;                /* -1: it has gone */
    bool is_owner_absent;  /* as last tried */
    bool has_had_its_turn; /* in this round */
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
    if (!pass->waiting)
        pass->waiting = calloc(MAX_WAITING, sizeof *pass->waiting);
    if (!pass->waiting || pass->waiting_count == MAX_WAITING)
        return false;
    pass->waiting[pass->waiting_count++] = (struct parcel){
        .owner = *owner,
        .fd = fd,
        .deadline = clock_ms() + PATIENCE_MS,
    };
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

/* Those that wait for `owner` and have not had their turn: the oldest, as many as a
 * datagram holds. */
static size_t gather(struct fd_pass *pass, const struct fd_pass_owner *owner,
                     struct parcel *batch[FD_PASS_BATCH], int fds[FD_PASS_BATCH])
{
    size_t count = 0;

    for (size_t i = 0; i < pass->waiting_count && count < FD_PASS_BATCH; i++) {
        struct parcel *parcel = &pass->waiting[i];
        if (parcel->has_had_its_turn || strcmp(parcel->owner.file, owner->file) != 0)
            continue;
        fds[count] = parcel->fd;
        batch[count++] = parcel;
    }
    return count;
}

/* Offers `owner` batches until it takes no more: what is left has had its turn. */
static void offer(struct fd_pass *pass, const struct fd_pass_owner *owner)
{
    struct parcel *batch[FD_PASS_BATCH];
    int fds[FD_PASS_BATCH];
    enum status st = ST_OK;
    size_t count;

    while ((count = gather(pass, owner, batch, fds)) > 0) {
        if (st == ST_OK)
            st = send_batch(pass, owner->file, fds, count);
        for (size_t i = 0; i < count; i++) {
            batch[i]->has_had_its_turn = true;
            batch[i]->is_owner_absent = st == ST_NOT_FOUND;
            if (st == ST_OK) {
                close(batch[i]->fd);
                batch[i]->fd = -1;
            }
        }
    }
}

/* Closes the gaps, and gives back who has waited too long. What takes it back hands
 * nothing on. */
static void tidy(struct fd_pass *pass)
{
    uint64_t now = clock_ms();
    size_t kept = 0;

    for (size_t i = 0; i < pass->waiting_count; i++) {
        struct parcel *parcel = &pass->waiting[i];
        enum status why = parcel->is_owner_absent ? ST_UNAVAILABLE : ST_BUSY;
        parcel->has_had_its_turn = false;
        if (parcel->fd >= 0 && parcel->deadline > now)
            pass->waiting[kept++] = *parcel;
        else if (parcel->fd >= 0)
            pass->events->on_return(pass->ctx, parcel->fd, why);
    }
    pass->waiting_count = kept;
}

void fd_pass_retry(uv_timer_t *timer)
{
    struct fd_pass *pass = timer->data;

    for (size_t i = 0; i < pass->waiting_count; i++)
        if (!pass->waiting[i].has_had_its_turn)
            offer(pass, &pass->waiting[i].owner);
    tidy(pass);
    if (pass->waiting_count > 0)
        return;
    uv_timer_stop(timer);
    free(pass->waiting);
    pass->waiting = NULL;
}

void fd_pass_return_all(struct fd_pass *pass, enum status why)
{
    for (size_t i = 0; i < pass->waiting_count; i++) {
        if (pass->events)
            pass->events->on_return(pass->ctx, pass->waiting[i].fd, why);
        else
            close(pass->waiting[i].fd);
    }
    pass->waiting_count = 0;
    free(pass->waiting);
    pass->waiting = NULL;
}

/*
 * This process' end of the sockets that are handed on: see the header. Marks are symbolic
 * links in the folder (`AB.mark`, to `g1.pass`): the system makes one name once only, and
 * who sends by a mark need not know whose it is.
 */
#include "bridge/fd_pass_parts.h"

#include "bridge/private_folder.h"
#include "proto/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DATAGRAMS_A_TURN = 16,
    DATAGRAMS_AT_LAST = 1024,
    MARKS = 64 * 64,
};

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* --- names --- */

bool fd_pass_address(const struct fd_pass *pass, const char *file,
                     struct sockaddr_un *address)
{
    size_t max = sizeof address->sun_path;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(address->sun_path, max, "%s/%s", pass->folder, file);
    return len > 0 && (size_t)len < max;
}

static void mark_print(unsigned number, char mark[FD_PASS_MARK_BYTES])
{
    mark[0] = digits[number / 64 % 64];
    mark[1] = digits[number % 64];
    mark[2] = '\0';
}

/* "g7" would have number 7; other names any, but each the same one everywhere, so the key
 * is no secret. */
static unsigned first_mark(const char *name)
{
    const struct hash_key key = {0};
    uint64_t number;

    if (name[0] && slice_to_u64(slice_of(name + 1), &number))
        return (unsigned)(number % MARKS);
    return (unsigned)(siphash(&key, slice_of(name)) % MARKS);
}

void fd_pass_mark_of(const char *name, char mark[FD_PASS_MARK_BYTES])
{
    mark_print(first_mark(name), mark);
}

bool fd_pass_owner_marked(const char mark[2], struct fd_pass_owner *owner)
{
    *owner = (struct fd_pass_owner){.is_waited_for = false};
    if (!memchr(digits, mark[0], 64) || !memchr(digits, mark[1], 64))
        return false;
    snprintf(owner->file, sizeof owner->file, "%.2s.mark", mark);
    return true;
}

/* Whether the link is ours, or has become it. */
static bool claim(const struct fd_pass *pass, const char *link)
{
    char file[FD_PASS_NAME_BYTES + 8], owner[FD_PASS_NAME_BYTES + 8];

    snprintf(file, sizeof file, "%s.pass", pass->name);
    if (symlink(file, link) == 0)
        return true;
    ssize_t len = readlink(link, owner, sizeof owner);
    return len > 0 && slice_is((struct slice){owner, (size_t)len}, file);
}

bool fd_pass_claim_mark(struct fd_pass *pass, char mark[FD_PASS_MARK_BYTES])
{
    unsigned first = first_mark(pass->name);
    struct sockaddr_un link;

    for (unsigned i = 0; i < MARKS; i++) {
        mark_print((first + i) % MARKS, mark);
        snprintf(pass->mark_file, sizeof pass->mark_file, "%s.mark", mark);
        if (fd_pass_address(pass, pass->mark_file, &link) && claim(pass, link.sun_path))
            return true;
    }
    pass->mark_file[0] = '\0';
    return false;
}

/* --- the socket --- */

static bool bind_file(struct fd_pass *pass, const struct sockaddr_un *address,
                      const char **reason)
{
    struct stat info;

    *reason = "a file that is no socket stands where sockets are handed on";
    if (lstat(address->sun_path, &info) == 0 && !S_ISSOCK(info.st_mode))
        return false;
    *reason = "the socket of an earlier process cannot be removed";
    if (unlink(address->sun_path) && errno != ENOENT)
        return false;
    *reason = "no socket can be made where sockets are handed on";
    if (bind(pass->fd, (const struct sockaddr *)address, sizeof *address) ||
        lstat(address->sun_path, &info))
        return false;
    pass->device = info.st_dev;
    pass->inode = info.st_ino;
    return true;
}

static bool open_socket(struct fd_pass *pass, const char **reason)
{
    struct sockaddr_un address;
    char file[FD_PASS_NAME_BYTES + 8];

    snprintf(file, sizeof file, "%s.pass", pass->name);
    *reason = "the path of the folder is too long for the sockets in it";
    if (!fd_pass_address(pass, file, &address))
        return false;
    *reason = "the folder for sockets is not ours alone: it must exist with mode 700";
    if (private_folder_make(pass->folder) != FOLDER_IS_GOOD)
        return false;
    *reason = "no socket can be made";
    pass->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return pass->fd >= 0 && bind_file(pass, &address, reason);
}

struct fd_pass *fd_pass_create(const struct fd_pass_config *config, const char **reason)
{
    struct fd_pass *pass = calloc(1, sizeof *pass);

    *reason = "out of memory";
    if (!pass)
        return NULL;
    pass->config = *config;
    pass->fd = -1;
    size_t folder =
        (size_t)snprintf(pass->folder, sizeof pass->folder, "%s", config->folder);
    size_t name = (size_t)snprintf(pass->name, sizeof pass->name, "%s", config->name);
    *reason = "the path of the folder is too long for the sockets in it";
    if (folder >= sizeof pass->folder || name + sizeof ".pass" > FD_PASS_NAME_BYTES ||
        !open_socket(pass, reason)) {
        if (pass->fd >= 0)
            close(pass->fd);
        free(pass);
        return NULL;
    }
    uv_timer_init(config->loop, &pass->retry);
    pass->retry.data = pass;
    pass->open_handles = 1;
    return pass;
}

/* --- what comes --- */

/* A connected TCP socket; whatever else this user's processes might send is not. */
static bool is_client(int fd, struct sockaddr_storage *peer, socklen_t *len)
{
    int type = 0;
    socklen_t size = sizeof type;

    *len = sizeof *peer;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM ||
        getpeername(fd, (struct sockaddr *)peer, len))
        return false;
    return (peer->ss_family == AF_INET || peer->ss_family == AF_INET6) &&
           fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Takes `fd`. */
static void receive_one(struct fd_pass *pass, int fd, bool is_ours)
{
    struct sockaddr_storage peer = {0};
    socklen_t len;

    if (!is_ours || !pass->events || !is_client(fd, &peer, &len)) {
        close(fd);
        return;
    }
    metrics_add(pass->config.metrics, METRIC_SOCKETS_RECEIVED, 1);
    pass->events->on_socket(pass->ctx, fd, (const struct sockaddr *)&peer, len);
}

static void receive_all(struct fd_pass *pass, struct msghdr *message, bool is_ours)
{
    struct cmsghdr *header;

    for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            receive_one(pass, fd, is_ours);
        }
    }
}

/* False: nothing is there. */
static bool receive_datagram(struct fd_pass *pass)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FD_PASS_BATCH * sizeof(int))];
    } control;
    char words[sizeof FD_PASS_WORDS];
    struct iovec piece = {words, sizeof words};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };

    ssize_t n = recvmsg(pass->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return false;
    if (message.msg_flags & MSG_CTRUNC)
        log_warn(pass->config.log,
                 "sockets were lost on their way: no descriptor is free",
                 LOG_TEXT("to", pass->name));
    receive_all(pass, &message,
                slice_is((struct slice){words, (size_t)n}, FD_PASS_WORDS));
    return true;
}

static void on_datagrams(uv_poll_t *poll, int error, int events)
{
    struct fd_pass *pass = poll->data;

    (void)error;
    (void)events;
    for (int i = 0; i < DATAGRAMS_A_TURN && !pass->is_stopped; i++)
        if (!receive_datagram(pass))
            return;
}

/* --- life --- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct fd_pass *pass = handle->data;

    if (--pass->open_handles == 0)
        free(pass);
}

bool fd_pass_start(struct fd_pass *pass, const struct fd_pass_events *events, void *ctx)
{
    pass->events = events;
    pass->ctx = ctx;
    if (uv_poll_init(pass->config.loop, &pass->poll, pass->fd) != 0)
        return false;
    pass->poll.data = pass;
    pass->open_handles++;
    return uv_poll_start(&pass->poll, UV_READABLE, on_datagrams) == 0;
}

/* What stands under our name is removed if it is still ours: a process of the same name
 * may have begun since. */
static void remove_files(struct fd_pass *pass)
{
    struct sockaddr_un address;
    struct stat info;
    char file[FD_PASS_NAME_BYTES + 8];

    snprintf(file, sizeof file, "%s.pass", pass->name);
    if (!fd_pass_address(pass, file, &address) || lstat(address.sun_path, &info) ||
        info.st_dev != pass->device || info.st_ino != pass->inode)
        return;
    unlink(address.sun_path);
    if (pass->mark_file[0] && fd_pass_address(pass, pass->mark_file, &address))
        unlink(address.sun_path);
}

void fd_pass_stop(struct fd_pass *pass)
{
    if (pass->is_stopped)
        return;
    pass->is_stopped = true;
    remove_files(pass);
    for (int i = 0; i < DATAGRAMS_AT_LAST && receive_datagram(pass); i++)
        ;
    fd_pass_return_all(pass, ST_DRAINING);
    uv_timer_stop(&pass->retry);
    if (pass->open_handles > 1)
        uv_close((uv_handle_t *)&pass->poll, on_handle_closed);
    close(pass->fd);
}

void fd_pass_destroy(struct fd_pass *pass)
{
    if (!pass)
        return;
    fd_pass_stop(pass);
    uv_close((uv_handle_t *)&pass->retry, on_handle_closed);
}

/*
 * Datagrams with descriptors, as another process of this user might send them. The input
 * is a row of datagrams: how many bytes, how many descriptors, which kinds, the bytes.
 * Whatever comes, only clients' sockets in our words are taken, and nothing stays open.
 */
#include "bridge/fd_pass.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    KINDS = 4, /* a client's socket, and three others */
    MAX_SENT = 40,
    MAX_DATAGRAMS = 8 /* the kernel's queue holds them */
};

struct field {
    uv_loop_t loop;
    struct logger log;
    struct metrics metrics;
    struct fd_pass *pass;
    struct sockaddr_un address;
    int fds[KINDS], from;
    unsigned taken;
};

static void on_socket(void *ctx, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct field *field = ctx;

    if (peer->sa_family != AF_INET || len != sizeof(struct sockaddr_in))
        abort();
    field->taken++;
    close(fd);
}

static void on_return(void *ctx, int fd, enum status why)
{
    (void)ctx;
    (void)fd;
    (void)why;
    abort();
}

static const struct fd_pass_events events = {on_socket, on_return};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    check(dir != NULL);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void make_descriptors(int fds[KINDS])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(fds[1], (struct sockaddr *)&address, len) == 0 && listen(fds[1], 1) == 0);
    getsockname(fds[1], (struct sockaddr *)&address, &len);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(connect(fds[0], (struct sockaddr *)&address, len) == 0);
    fds[2] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fds[3] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fds[2] >= 0 && fds[3] >= 0);
}

static struct field *field_make(void)
{
    static char folder[] = "/tmp/sidecast-fuzz-XXXXXX";
    struct field *field = calloc(1, sizeof *field);
    const char *reason;

    check(field && mkdtemp(folder));
    field->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "fuzz"};
    uv_loop_init(&field->loop);
    field->pass = fd_pass_create(&(struct fd_pass_config){&field->loop, &field->log,
                                                          &field->metrics, folder, "g1"},
                                 &reason);
    check(field->pass && fd_pass_start(field->pass, &events, field));
    field->address.sun_family = AF_UNIX;
    snprintf(field->address.sun_path, sizeof field->address.sun_path, "%s/g1.pass",
             folder);
    make_descriptors(field->fds);
    field->from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* The loop's own descriptors are there from the first turn on. */
    uv_run(&field->loop, UV_RUN_NOWAIT);
    check(connect(field->from, (struct sockaddr *)&field->address,
                  sizeof field->address) == 0);
    /* The folder need not outlive the connection to the socket in it. */
    unlink(field->address.sun_path);
    rmdir(folder);
    return field;
}

/* Sends one datagram; gives how many of its descriptors are to be taken. */
static unsigned send_one(struct field *field, const uint8_t *words, size_t len,
                         const uint8_t *kinds, size_t count)
{
    char control[CMSG_SPACE(MAX_SENT * sizeof(int))] = {0};
    struct iovec piece = {(void *)words, len};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    int fds[MAX_SENT];
    unsigned clients = 0;

    for (size_t i = 0; i < count; i++) {
        fds[i] = field->fds[kinds[i] % KINDS];
        clients += i < 32 && kinds[i] % KINDS == 0;
    }
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    bool is_sent = sendmsg(field->from, &message, MSG_DONTWAIT) >= 0;
    bool is_ours = len == 15 && memcmp(words, "sidecast pass 1", 15) == 0;
    return is_sent && is_ours ? clients : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct field *field;
    static unsigned before;
    unsigned expected = 0;

    if (!field) {
        field = field_make();
        before = open_descriptors();
    }
    field->taken = 0;
    for (int i = 0; i < MAX_DATAGRAMS && size >= 2; i++) {
        size_t len = data[0] % 64, count = data[1] % (MAX_SENT + 1);
        data += 2;
        size -= 2;
        if (len + count > size)
            break;
        expected += send_one(field, data + count, len, data, count);
        data += len + count;
        size -= len + count;
    }
    uv_run(&field->loop, UV_RUN_NOWAIT);
    check(field->taken == expected);
    check(open_descriptors() == before);
    return 0;
}

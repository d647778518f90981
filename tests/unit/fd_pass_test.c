/* The folder where sockets are handed on: marks, names, and what strangers put there. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/fd_pass.h"
#include "support/pass_folder.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

struct house {
    struct pass_folder folder;
    struct logger log;
    struct metrics metrics;
    uv_loop_t loop;
    unsigned sockets;
};

static void house_open(struct house *house)
{
    *house = (struct house){
        .log = {.level = LOG_LEVEL_ERROR, .role = "test"}
    };
    pass_folder_make(&house->folder);
    uv_loop_init(&house->loop);
}

static void house_close(struct house *house)
{
    uv_run(&house->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&house->loop), 0);
    pass_folder_remove(&house->folder);
}

static struct fd_pass *join(struct house *house, const char *name)
{
    const struct fd_pass_config config = {&house->loop, &house->log, &house->metrics,
                                          house->folder.path, name};
    const char *reason = NULL;
    struct fd_pass *pass = fd_pass_create(&config, &reason);

    assert_non_null(pass);
    return pass;
}

static void two_names_never_share_a_mark(void **state)
{
    enum {
        NAMES = 400, /* of 4,096 marks: some of the names want the same one */
    };
    struct fd_pass *ends[NAMES];
    char marks[NAMES][FD_PASS_MARK_BYTES], name[16], wanted[FD_PASS_MARK_BYTES];
    unsigned moved = 0;
    struct house house;

    (void)state;
    house_open(&house);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, i % 2 ? "g%d" : "gateway-%d", i);
        ends[i] = join(&house, name);
        assert_true(fd_pass_claim_mark(ends[i], marks[i]));
        fd_pass_mark_of(name, wanted);
        moved += memcmp(marks[i], wanted, sizeof wanted) != 0;
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(marks[i], marks[k], FD_PASS_MARK_BYTES);
    }
    assert_true(moved > 0);
    for (int i = 0; i < NAMES; i++)
        fd_pass_destroy(ends[i]);
    assert_int_equal(pass_folder_entries(&house.folder, false), 0);
    house_close(&house);
}

/* The later one gets what is sent from then on, and keeps the mark. */
static void a_name_that_begins_again_keeps_its_mark(void **state)
{
    char first[FD_PASS_MARK_BYTES], second[FD_PASS_MARK_BYTES];
    struct house house;

    (void)state;
    house_open(&house);
    struct fd_pass *old = join(&house, "g1");
    assert_true(fd_pass_claim_mark(old, first));
    struct fd_pass *new = join(&house, "g1");
    assert_true(fd_pass_claim_mark(new, second));
    assert_string_equal(first, second);

    fd_pass_destroy(old); /* takes nothing away that is the other one's */
    assert_int_equal(pass_folder_entries(&house.folder, false), 2);
    fd_pass_destroy(new);
    assert_int_equal(pass_folder_entries(&house.folder, false), 0);
    house_close(&house);
}

static void folders_and_files_that_are_not_ours_are_refused(void **state)
{
    struct house house;
    char path[100];
    const char *reason = NULL;

    (void)state;
    house_open(&house);
    snprintf(path, sizeof path, "%s/in", house.folder.path);
    const struct fd_pass_config config = {&house.loop, &house.log, &house.metrics, path,
                                          "g1"};
    char file[120];
    snprintf(file, sizeof file, "%s/g1.pass", path);

    assert_int_equal(mkdir(path, 0755), 0);
    assert_null(fd_pass_create(&config, &reason));
    assert_non_null(strstr(reason, "mode 700"));
    assert_int_equal(chmod(path, 0700), 0);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    assert_null(fd_pass_create(&config, &reason));
    assert_non_null(strstr(reason, "no socket stands"));
    unlink(file);
    rmdir(path);

    assert_int_equal(symlink(house.folder.path, path), 0);
    assert_null(fd_pass_create(&config, &reason));
    unlink(path);

    struct fd_pass *made = fd_pass_create(&config, &reason); /* absent: made */
    assert_non_null(made);
    fd_pass_destroy(made);
    rmdir(path);

    char deep[140];
    memset(deep, 'x', sizeof deep);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    const struct fd_pass_config long_config = {&house.loop, &house.log, &house.metrics,
                                               deep, "g1"};
    assert_null(fd_pass_create(&long_config, &reason));
    assert_non_null(strstr(reason, "too long"));
    house_close(&house);
}

static void on_socket(void *ctx, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct house *house = ctx;

    assert_int_equal(peer->sa_family, AF_INET);
    assert_int_equal(len, sizeof(struct sockaddr_in));
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    house->sockets++;
    close(fd);
}

static void on_return(void *ctx, int fd, enum status why)
{
    (void)ctx;
    (void)fd;
    (void)why;
    fail();
}

static const struct fd_pass_events events = {on_socket, on_return};

/* What somebody may send: words, and descriptors of several kinds. */
struct post {
    const char *words;
    const char *kinds; /* c: a client, l: a listener, p: a pipe, u: a unix socket,
                          f: a file, n: a socket without a peer */
    unsigned taken;
};

struct sockets {
    int listener, client, server;
};

static void sockets_open(struct sockets *sockets)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockets->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(sockets->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(sockets->listener, 4), 0);
    getsockname(sockets->listener, (struct sockaddr *)&address, &len);
    sockets->client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(sockets->client, (struct sockaddr *)&address, len), 0);
    sockets->server = accept(sockets->listener, NULL, NULL);
    assert_true(sockets->server >= 0);
}

static void sockets_close(const struct sockets *sockets)
{
    close(sockets->listener);
    close(sockets->client);
    close(sockets->server);
}

static int make(char kind, const struct sockets *sockets)
{
    int pair[2];

    switch (kind) {
    case 'c': return dup(sockets->server);
    case 'l': return dup(sockets->listener);
    case 'f': return open("/dev/null", O_RDONLY | O_CLOEXEC);
    case 'n': return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    case 'p': assert_int_equal(pipe(pair), 0); break;
    default: assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0); break;
    }
    close(pair[1]);
    return pair[0];
}

static void send_post(const struct house *house, const struct post *post,
                      const struct sockets *sockets)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct iovec words = {(char *)post->words, strlen(post->words)};
    size_t count = strlen(post->kinds), size = count * sizeof(int);
    char control[CMSG_SPACE(64 * sizeof(int))] = {0};
    struct msghdr message = {
        &address, sizeof address,         &words,
        1,        count ? control : NULL, count ? CMSG_SPACE(size) : 0,
        0};
    int fds[64];
    int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/g1.pass", house->folder.path);
    for (size_t i = 0; i < count; i++)
        fds[i] = make(post->kinds[i], sockets);
    if (count) {
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), fds, size);
    }
    assert_true(sendmsg(from, &message, 0) >= 0);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    close(from);
}

static void only_clients_in_our_words_are_taken(void **state)
{
    static const struct post posts[] = {
        {"sidecast pass 1",                              "c",                                     1 },
        {"sidecast pass 1",                              "cc",                                    2 },
        {"sidecast pass 1",                              "lcpcufn",                               2 },
        {"sidecast pass 1",                              "cccccccccccccccccccccccccccccccc",      32},
        {"sidecast pass 1",                              "ccccccccccccccccccccccccccccccccccccc", 32}, /* CTRUNC */
        {"sidecast pass 1",                              "",                                      0 },
        {"",                                             "c",                                     0 },
        {"sidecast pass ",                               "c",                                     0 },
        {"sidecast pass 2",                              "c",                                     0 },
        {"sidecast pass 1 ",                             "c",                                     0 },
        {"sidecast pass 1 more words than we ever read", "cc",                                    0 },
        {"x",                                            "lpuf",                                  0 },
    };
    struct house house;
    struct sockets sockets;

    (void)state;
    house_open(&house);
    sockets_open(&sockets);
    struct fd_pass *pass = join(&house, "g1");
    assert_true(fd_pass_start(pass, &events, &house));
    uv_run(&house.loop, UV_RUN_NOWAIT);
    unsigned before = open_descriptors();
    for (size_t i = 0; i < sizeof posts / sizeof *posts; i++) {
        house.sockets = 0;
        send_post(&house, &posts[i], &sockets);
        uv_run(&house.loop, UV_RUN_NOWAIT);
        assert_int_equal(house.sockets, posts[i].taken);
        assert_int_equal(open_descriptors(), before);
    }
    fd_pass_destroy(pass);
    sockets_close(&sockets);
    house_close(&house);
}

static void what_was_sent_before_the_stop_still_comes(void **state)
{
    static const struct post post = {"sidecast pass 1", "c", 1};
    struct house house;
    struct sockets sockets;

    (void)state;
    house_open(&house);
    sockets_open(&sockets);
    struct fd_pass *pass = join(&house, "g1");
    assert_true(fd_pass_start(pass, &events, &house));
    for (int i = 0; i < 3; i++)
        send_post(&house, &post, &sockets);
    fd_pass_stop(pass);
    assert_int_equal(house.sockets, 3);
    assert_int_equal(pass_folder_entries(&house.folder, false), 0);
    struct fd_pass_owner owner = fd_pass_owner_named("g1");
    assert_int_equal(fd_pass_send(pass, &owner, sockets.server), ST_DRAINING);
    fd_pass_destroy(pass);
    sockets_close(&sockets);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_names_never_share_a_mark),
        cmocka_unit_test(a_name_that_begins_again_keeps_its_mark),
        cmocka_unit_test(folders_and_files_that_are_not_ours_are_refused),
        cmocka_unit_test(only_clients_in_our_words_are_taken),
        cmocka_unit_test(what_was_sent_before_the_stop_still_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The bus among strangers: bytes that make no sense, frames without end, other users,
 * wrong secrets, and folders that others could reach. Whatever a stranger does, those who
 * belong there go on, and newcomers get in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/bus_wire.h"
#include "support/engine_house.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
    SP_SUB = 0x21,
    SP_REQ = 0x30,
    HEAD_BYTES = 8,
    WAIT_MS = 5000,
    ENOUGH_BYTES = 32 << 20, /* what a process may grow by in a test */
};

static const char *const names[] = {"events", "directory", "replay"};
static const char protocols[] = {SP_SUB, SP_REQ, SP_REQ};

static int reach(const struct house *house, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.60s/bus/%s", house->folder,
             name);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* A peer may have closed already. */
static void put(int fd, const void *bytes, size_t len)
{
    send(fd, bytes, len, MSG_NOSIGNAL);
}

/* False at the end of the connection, and when nothing comes. */
static bool get(int fd, void *bytes, size_t len, int wait_ms)
{
    for (size_t got = 0; got < len;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t n =
            poll(&ready, 1, wait_ms) > 0 ? read(fd, (char *)bytes + got, len - got) : -1;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* What the library's peers say first. Both sides have said it when this returns. */
static int reach_and_greet(const struct house *house, size_t which)
{
    char theirs[HEAD_BYTES];
    const char ours[HEAD_BYTES] = {0, 'S', 'P', 0, 0, protocols[which], 0, 0};
    int fd = reach(house, names[which]);

    put(fd, ours, sizeof ours);
    assert_true(get(fd, theirs, sizeof theirs, WAIT_MS));
    assert_memory_equal(theirs, "\0SP", 4);
    usleep(20000); /* a connection that ends in its greeting is another test's matter */
    return fd;
}

static void put_frame_head(int fd, uint64_t len)
{
    unsigned char head[9] = {1};

    for (int i = 0; i < 8; i++)
        head[1 + i] = (unsigned char)(len >> (56 - 8 * i));
    put(fd, head, sizeof head);
}

static void put_request(int fd, const void *bytes, size_t len)
{
    put_frame_head(fd, len + 4);
    put(fd, "\x80\0\0\1", 4);
    put(fd, bytes, len);
}

static void assert_cut_off(int fd)
{
    char byte;
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    while (poll(&ready, 1, WAIT_MS) > 0)
        if (read(fd, &byte, 1) <= 0)
            return;
    fail_msg("the connection still stands");
}

static size_t private_bytes(pid_t pid)
{
    unsigned long pages = 0, resident = 0, shared = 0;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu %lu", &pages, &resident, &shared), 3);
    fclose(file);
    return (resident - shared) * 4096;
}

/* Those who were there hear the next event, and so does one who comes now. */
static void assert_all_is_well(struct house *house)
{
    struct puppet_process newcomer = {0};

    house->config.gateway_id = "g2";
    start(house, &newcomer, ENGINE_GATEWAY);
    ask(house, &newcomer, "ready 1", "ready");
    assert_true(puppet_ask(&house->publisher, "append 1 10 0", house->line));
    uint64_t seq = strtoull(house->line + strlen("kept "), NULL, 10);
    char until[64], head[64];
    snprintf(until, sizeof until, "until %" PRIu64, seq);
    snprintf(head, sizeof head, "head %" PRIu64, seq);
    assert_true(puppet_ask(&house->gateway, until, house->line));
    ask(house, &house->gateway, "head", head);
    assert_true(puppet_ask(&newcomer, until, house->line));
    ask(house, &house->gateway, "told", "told 0 - 0 1");
    close_one(house, &newcomer);
}

static void bytes_without_sense_harm_nobody(void **state)
{
    struct house house;
    char noise[64];
    uint32_t random = 1;

    house_open(&house, state);
    open_both(&house);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)((random = random * 1103515245 + 12345) >> 16);
        int fd = reach(&house, names[i]);
        put(fd, noise, sizeof noise);
        assert_cut_off(fd);
        close(fd);
    }
    assert_all_is_well(&house);
    close_both(&house);
}

static void frames_without_end_are_refused(void **state)
{
    static const uint64_t lengths[] = {UINT64_C(1) << 30, UINT64_C(1) << 62, UINT64_MAX};
    struct house house;

    house_open(&house, state);
    open_both(&house);
    size_t before = private_bytes(house.publisher.pid);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            int fd = reach_and_greet(&house, i);
            put_frame_head(fd, lengths[k]);
            put(fd, "begun", 5);
            assert_cut_off(fd);
            close(fd);
        }
    }
    assert_all_is_well(&house);
    assert_true(private_bytes(house.publisher.pid) < before + ENOUGH_BYTES);
    close_both(&house);
}

static void a_frame_that_breaks_off_is_none(void **state)
{
    struct house house;

    house_open(&house, state);
    open_both(&house);
    for (size_t i = 0; i < 3; i++) {
        int fd = reach_and_greet(&house, i);
        put_frame_head(fd, 100);
        put(fd, "a tenth of it", 10);
        close(fd);
    }
    assert_all_is_well(&house);
    close_both(&house);
}

/* A request for all of the log from its beginning. */
static struct slice replay_request(struct buf *out)
{
    struct replay_request request = {
        .after = {1, 0},
          .through = 1, .max_bytes = 100
    };

    replay_request_encode(&request, out);
    return buf_slice(out);
}

static void requests_without_sense_get_no_answer(void **state)
{
    struct buf encoded = {.max = 1000};
    struct slice request = replay_request(&encoded);
    struct house house;
    char answer[9 + 4 + REPLAY_PAGE_HEAD_BYTES];
    struct replay_page page;

    house_open(&house, state);
    open_both(&house);
    int directory = reach_and_greet(&house, 1), replay = reach_and_greet(&house, 2);
    for (size_t len = 0; len < request.len; len++) {
        put_request(replay, request.ptr, len);
        put_request(directory, request.ptr, len);
    }
    put_request(directory, request.ptr, request.len);
    assert_false(get(directory, answer, 1, 300));
    assert_false(get(replay, answer, 1, 0));
    /* The same in full is answered, on the same connection. */
    put_request(replay, request.ptr, request.len);
    assert_true(get(replay, answer, sizeof answer, WAIT_MS));
    assert_int_equal(
        replay_page_decode((struct slice){answer + 13, REPLAY_PAGE_HEAD_BYTES}, &page),
        ST_OK);
    /* Without a number it is no request: the library hangs up. */
    put_frame_head(replay, 4);
    put(replay, "\0\0\0\1", 4);
    assert_cut_off(replay);
    assert_all_is_well(&house);
    close(directory);
    close(replay);
    buf_finish(&encoded);
    close_both(&house);
}

static void who_never_reads_delays_nobody(void **state)
{
    struct house house;
    int fds[8];

    house_open(&house, state);
    open_both(&house);
    for (size_t i = 0; i < 8; i++)
        fds[i] = reach_and_greet(&house, 0);
    ask(&house, &house.publisher, "append 20000 300 0", "kept 1 20000 0");
    ask(&house, &house.gateway, "until 20000", "seen 20000 0 0");
    assert_all_is_well(&house);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    close_both(&house);
}

/* As somebody else, where the file system does not keep them out. Gives whether a frame
 * or an answer came. */
static bool is_served_as(uid_t uid, const struct house *house, size_t which)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct buf encoded = {.max = 1000};
        struct slice request = replay_request(&encoded);
        const char ours[HEAD_BYTES] = {0, 'S', 'P', 0, 0, protocols[which], 0, 0};
        char bytes[HEAD_BYTES + 1];
        if (setuid(uid))
            _exit(2);
        int fd = reach(house, names[which]);
        put(fd, ours, sizeof ours);
        usleep(20000);
        if (protocols[which] == SP_REQ)
            put_request(fd, request.ptr, request.len);
        _exit(get(fd, bytes, sizeof bytes, 1000) ? 1 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

static void another_user_is_cut_off(void **state)
{
    static const uid_t nobody = 65534;
    struct house house;
    char path[128];

    if (geteuid() != 0)
        skip(); /* nobody else to be */
    house_open(&house, state);
    open_both(&house);
    chmod(house.folder, 0711);
    snprintf(path, sizeof path, "%s/bus", house.folder);
    chmod(path, 0711);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/bus/%s", house.folder, names[i]);
        chmod(path, 0666);
        assert_false(is_served_as(nobody, &house, i));
    }
    assert_true(is_served_as(0, &house, 0));
    assert_true(is_served_as(0, &house, 2));
    snprintf(path, sizeof path, "%s/bus", house.folder);
    chmod(path, 0700);
    assert_all_is_well(&house);
    close_both(&house);
}

/* --- where the bus stands --- */

static void make_open_folder(const char *path)
{
    mkdir(path, 0700);
    chmod(path, 0750);
}

static void make_link(const char *path)
{
    assert_int_equal(symlink("/tmp", path), 0);
}

static void make_file(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void make_file_for_socket(const char *path)
{
    char inside[160];

    mkdir(path, 0700);
    snprintf(inside, sizeof inside, "%s/replay", path);
    make_file(inside);
}

static void make_other_owner(const char *path)
{
    mkdir(path, 0700);
    if (chown(path, 65534, 65534))
        skip();
}

static void a_place_that_others_could_reach_is_refused(void **state)
{
    static const struct {
        void (*make)(const char *path);
        const char *publisher, *gateway; /* NULL: it does not look there */
    } places[] = {
        {make_open_folder,
         "refused bus.url: the folder is open to others; chmod it to 700",                    "refused bus.url: the folder is open to others; chmod it to 700"},
        {make_link,            "refused bus.url: is a symbolic link; name the folder itself",
         "refused bus.url: is a symbolic link; name the folder itself"                                                                                        },
        {make_file,            "refused bus.url: is no folder of this user",
         "refused bus.url: is no folder of this user"                                                                                                         },
        {make_file_for_socket,
         "refused bus.url: a file that is no socket stands in the way",                       NULL                                                            },
        {make_other_owner,     "refused bus.url: is no folder of this user",
         "refused bus.url: is no folder of this user"                                                                                                         },
    };
    struct puppet_process process = {0};
    struct house house;
    struct stat info;
    char path[128];

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        house_open(&house, state);
        snprintf(path, sizeof path, "%s/bus", house.folder);
        places[i].make(path);
        house.config.role = ENGINE_LOG;
        assert_true(puppet_start(&process, &house.config, house_no_hooks, house.line));
        assert_string_equal(house.line, places[i].publisher);
        puppet_wait(&process);
        house.config.role = ENGINE_GATEWAY;
        if (places[i].gateway) {
            assert_true(
                puppet_start(&process, &house.config, house_no_hooks, house.line));
            assert_string_equal(house.line, places[i].gateway);
            puppet_wait(&process);
        }
        if (places[i].make == make_file_for_socket) { /* it is still there */
            snprintf(path, sizeof path, "%s/bus/replay", house.folder);
            assert_int_equal(stat(path, &info), 0);
            assert_true(S_ISREG(info.st_mode));
        }
        house_remove(&house);
    }
}

static void tcp_beyond_this_machine_needs_a_secret(void **state)
{
    static const struct {
        const char *url, *secret, *answer;
    } rows[] = {
        {"tcp://192.0.2.1:7413",             "",
         "refused bus.url: beyond this machine the bus needs bus.secret"},
        {"tcp://0.0.0.0:7413",               "",
         "refused bus.url: beyond this machine the bus needs bus.secret"},
        {"tcp://127.0.0.1.example.org:7413", "",
         "refused bus.url: beyond this machine the bus needs bus.secret"},
        {"tcp://localhost.example.org:7413", "",
         "refused bus.url: beyond this machine the bus needs bus.secret"},
        {"tcp://192.0.2.1:7413",             "short",
         "refused bus.secret must have at least 32 bytes"               },
        {"tcp://127.0.0.1:7413",             "short",
         "refused bus.secret must have at least 32 bytes"               },
        {"pigeon://127.0.0.1:7413",          "",
         "refused bus.url: expected ipc:///folder or tcp://host:port"   },
    };
    struct puppet_process process = {0};
    struct house house;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int role = ENGINE_LOG; role <= ENGINE_GATEWAY; role++) {
            house_open(&house, state);
            house.config.url = rows[i].url;
            house.config.secret = rows[i].secret;
            house.config.role = (enum engine_role)role;
            assert_true(
                puppet_start(&process, &house.config, house_no_hooks, house.line));
            assert_string_equal(house.line, rows[i].answer);
            puppet_wait(&process);
            house_remove(&house);
        }
    }
}

static void a_gateway_with_another_secret_hears_nothing(void **state)
{
    static const char *const secrets[] = {"", "another secret of thirty-two byte"};
    struct puppet_process stranger = {0};
    struct house house;

    house_open(&house, state);
    open_both(&house);
    for (size_t i = 0; i < 2; i++) {
        house.config.secret = secrets[i];
        house.config.gateway_id = "g3";
        start(&house, &stranger, ENGINE_GATEWAY);
        assert_true(puppet_ask(&house.publisher, "append 5 10 0", house.line));
        usleep(500000);
        ask(&house, &stranger, "head", "head 0");
        ask(&house, &stranger, "find s1", "found E_UNAVAILABLE");
        close_one(&house, &stranger);
    }
    house.config.secret = house.row->secret;
    ask(&house, &house.gateway, "until 10", "seen 10 0 0");
    assert_all_is_well(&house);
    close_both(&house);
}

#define ROW(test, row) cmocka_unit_test_prestate(test, (void *)&(row))

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(bytes_without_sense_harm_nobody, nng_ipc),
        ROW(frames_without_end_are_refused, nng_ipc),
        ROW(a_frame_that_breaks_off_is_none, nng_ipc),
        ROW(requests_without_sense_get_no_answer, nng_ipc),
        ROW(who_never_reads_delays_nobody, nng_ipc),
        ROW(another_user_is_cut_off, nng_ipc),
        ROW(a_place_that_others_could_reach_is_refused, nng_ipc),
        ROW(tcp_beyond_this_machine_needs_a_secret, nng_ipc),
        ROW(a_gateway_with_another_secret_hears_nothing, nng_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

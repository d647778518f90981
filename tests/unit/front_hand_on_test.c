/* Two fronts, as of two processes, and what one hands to the other. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/http_rig.h"
#include "support/pass_folder.h"

#include <sys/un.h>

/* "?to=NAME": it is NAME's; "?mark=AB": its session is. */
static bool find_owner(void *ctx, const struct http_head *head,
                       struct fd_pass_owner *owner)
{
    struct slice to;
    char name[16];

    (void)ctx;
    if (http_query_find(head->query, "mark", &to) && to.len == 2)
        return fd_pass_owner_marked(to.ptr, owner);
    if (!http_query_find(head->query, "to", &to))
        return false;
    snprintf(name, sizeof name, "%.*s", (int)to.len, to.ptr);
    *owner = fd_pass_owner_named(name);
    return true;
}

static bool is_for_nobody_else(void *ctx, const struct http_head *head,
                               struct fd_pass_owner *owner)
{
    (void)ctx;
    (void)head;
    (void)owner;
    return false;
}

static struct rig *start(const struct pass_folder *folder, const char *name,
                         struct rig_options options)
{
    options.pass_folder = folder->path;
    options.pass_name = name;
    if (!options.find_owner)
        options.find_owner = find_owner;
    return rig_start(options);
}

/* Its owner takes what was handed to it as its own. */
static struct rig *start_owner(const struct pass_folder *folder, const char *name)
{
    return start(folder, name, (struct rig_options){.find_owner = is_for_nobody_else});
}

static uint64_t counted(struct rig *rig, enum metric metric)
{
    return atomic_load(&rig->metrics.values[metric]);
}

/* Who answers may be heard of before who handed on has counted it. */
static void expect_counted(struct rig *rig, enum metric metric, uint64_t wanted)
{
    for (int i = 0; i < RIG_WAIT_MS && counted(rig, metric) < wanted; i++)
        usleep(1000);
    assert_int_equal(counted(rig, metric), wanted);
}

static void a_request_is_answered_by_its_owner(void **state)
{
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    struct rig *door = start(&folder, "g1", (struct rig_options){0});
    struct rig *owner = start_owner(&folder, "g2");

    rig_ask(door,
            "GET /mirror?to=g2&x=%20 HTTP/1.1\r\nHost: a\r\nX-Request-Id: me\r\n\r\n",
            &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "/mirror?to=g2&x=%20|127.0.0.1|me");
    expect_counted(door, METRIC_SOCKETS_PASSED, 1);
    expect_counted(owner, METRIC_SOCKETS_RECEIVED, 1);
    expect_counted(owner, METRIC_HTTP_REQUESTS, 1);
    assert_int_equal(counted(door, METRIC_HTTP_REQUESTS), 0);

    rig_ask(door, "GET /mirror HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    expect_counted(door, METRIC_HTTP_REQUESTS, 1);
    rig_stop(door);
    rig_stop(owner);
    pass_folder_remove(&folder);
}

/* In pieces, so that the front has had a handle on the socket, and the body comes after
 * the socket has gone. */
static void a_head_in_pieces_and_a_later_body_arrive_whole(void **state)
{
    static const char head[] =
        "POST /echo?to=g2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n";
    struct pass_folder folder;
    struct rig_answer answer;
    char body[4001] = "";

    (void)state;
    for (size_t i = 0; i < 4000; i++)
        body[i] = (char)('a' + i % 26);
    pass_folder_make(&folder);
    struct rig *door = start(&folder, "g1", (struct rig_options){0});
    struct rig *owner = start_owner(&folder, "g2");
    int fd = rig_connect(door);

    for (size_t i = 0; i + 1 < sizeof head; i += 20) {
        rig_send(fd, slice_first(slice_from(slice_of(head), i), 20));
        usleep(3000);
    }
    for (size_t i = 0; i < 4000; i += 1000) {
        rig_send(fd, (struct slice){body + i, 1000});
        usleep(3000);
    }
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, body);
    close(fd);
    expect_counted(owner, METRIC_SOCKETS_RECEIVED, 1);
    rig_stop(door);
    rig_stop(owner);
    pass_folder_remove(&folder);
}

static void a_request_is_handed_on_only_once(void **state)
{
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    struct rig *one = start(&folder, "g1", (struct rig_options){0});
    struct rig *two = start(&folder, "g2", (struct rig_options){0});

    rig_ask(one, "GET /health?to=g2 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    rig_expect_problem(&answer, 400, "E_BAD_REQUEST");
    rig_ask(one, "GET /health?to=g1 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    rig_expect_problem(&answer, 400, "E_BAD_REQUEST");
    rig_expect_calm(one);
    rig_stop(one);
    rig_stop(two);
    pass_folder_remove(&folder);
}

static void an_owner_that_was_never_there_leaves_it_to_us(void **state)
{
    static const char *const gone[] = {
        "GET /health?mark=AA HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health?mark=-_ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health?mark=.. HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health?mark=// HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    struct rig *rig = start(&folder, "g1", (struct rig_options){0});
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        rig_ask(rig, gone[i], &answer);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(counted(rig, METRIC_SOCKETS_PASSED), 0);
    rig_stop(rig);
    pass_folder_remove(&folder);
}

/* What a process that was killed leaves behind. */
static void leave_a_stale_socket(const struct pass_folder *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s.pass", folder->path, name);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void an_owner_that_is_dead_is_503_after_a_while(void **state)
{
    struct pass_folder folder;
    struct rig_answer answer;
    unsigned before;

    (void)state;
    pass_folder_make(&folder);
    leave_a_stale_socket(&folder, "publisher");
    struct rig *rig = start(&folder, "g1", (struct rig_options){0});
    rig_ask(rig, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    usleep(50000);
    before = open_descriptors();
    int fds[] = {rig_connect(rig), rig_connect(rig)};
    rig_send(fds[0], SLICE("GET /health?to=absent HTTP/1.1\r\nHost: a\r\n\r\n"));
    rig_send(fds[1], SLICE("GET /health?to=publisher HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (int i = 0; i < 2; i++) {
        rig_read(fds[i], &answer);
        rig_expect_problem(&answer, 503, "E_UNAVAILABLE");
        assert_non_null(strcasestr(answer.head, "\r\nRetry-After: "));
        close(fds[i]);
    }
    expect_counted(rig, METRIC_SOCKETS_RETURNED, 2);
    rig_expect_calm(rig);
    for (int i = 0; i < RIG_WAIT_MS && open_descriptors() > before; i++)
        usleep(1000);
    assert_int_equal(open_descriptors(), before);
    rig_stop(rig);
    pass_folder_remove(&folder);
}

/* It stands in for one that is being started again, over the socket of its earlier life.
 */
static void a_request_waits_for_an_owner_that_comes_back(void **state)
{
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    leave_a_stale_socket(&folder, "publisher");
    struct rig *rig = start(&folder, "g1", (struct rig_options){0});
    int fd = rig_connect(rig);
    rig_send(fd, SLICE("GET /health?to=publisher HTTP/1.1\r\nHost: a\r\n\r\n"));
    usleep(100000);
    struct rig *owner = start_owner(&folder, "publisher");
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 200);
    close(fd);
    rig_stop(owner);
    rig_stop(rig);
    pass_folder_remove(&folder);
}

/* More than the kernel's queue holds, and more than a datagram: what does not fit waits.
 */
static void a_burst_arrives_whole_and_leaves_no_descriptor(void **state)
{
    enum {
        BURST = 300,
    };
    struct pass_folder folder;
    struct rig_answer answer;
    int fds[BURST];

    (void)state;
    pass_folder_make(&folder);
    struct rig *door = start(&folder, "g1", (struct rig_options){.always_closes = true});
    struct rig *owner = start(&folder, "publisher",
                              (struct rig_options){.find_owner = is_for_nobody_else,
                                                   .has_no_listener = true,
                                                   .always_closes = true});
    unsigned before = open_descriptors();
    for (int i = 0; i < BURST; i++) {
        fds[i] = rig_connect(door);
        rig_send(fds[i], SLICE("GET /later?to=publisher HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    for (int i = 0; i < BURST; i++) {
        rig_read(fds[i], &answer);
        assert_int_equal(answer.status, 200);
        assert_true(rig_is_closed(fds[i]));
        close(fds[i]);
    }
    expect_counted(owner, METRIC_SOCKETS_RECEIVED, BURST);
    for (int i = 0; i < RIG_WAIT_MS && open_descriptors() > before; i++)
        usleep(1000);
    assert_int_equal(open_descriptors(), before);
    rig_stop(door);
    rig_stop(owner);
    pass_folder_remove(&folder);
}

/* Its socket is there, but nobody reads it: stopped, or too busy. */
static void an_owner_that_takes_nothing_is_503(void **state)
{
    enum {
        REQUESTS = 60,
    };
    struct pass_folder folder;
    struct rig_answer answer;
    struct metrics metrics = {0};
    struct logger log = {.level = LOG_LEVEL_ERROR, .role = "test"};
    const char *reason = NULL;
    uv_loop_t loop;
    int fds[REQUESTS], busy = 0;

    (void)state;
    pass_folder_make(&folder);
    uv_loop_init(&loop);
    struct fd_pass *stopped = fd_pass_create(
        &(struct fd_pass_config){&loop, &log, &metrics, folder.path, "publisher"},
        &reason);
    assert_non_null(stopped);
    struct rig *rig = start(&folder, "g1", (struct rig_options){0});
    unsigned before = open_descriptors();
    for (int i = 0; i < REQUESTS; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], SLICE("GET /health?to=publisher HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    for (int i = 0; i < 2 * RIG_WAIT_MS && counted(rig, METRIC_SOCKETS_PASSED) +
                                                   counted(rig, METRIC_SOCKETS_RETURNED) <
                                               REQUESTS;
         i++)
        usleep(1000);
    fd_pass_destroy(stopped); /* closes what sits in its queue */
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    for (int i = 0; i < REQUESTS; i++) {
        rig_read(fds[i], &answer);
        if (answer.status) {
            rig_expect_problem(&answer, 503, "E_BUSY");
            busy++;
        }
        close(fds[i]);
    }
    assert_in_range(busy, 1, REQUESTS - 1);
    assert_int_equal(busy, counted(rig, METRIC_SOCKETS_RETURNED));
    for (int i = 0; i < RIG_WAIT_MS && open_descriptors() > before; i++)
        usleep(1000);
    assert_in_range(open_descriptors(), 1, before);
    rig_stop(rig);
    pass_folder_remove(&folder);
}

/* Takes the socket like a WebSocket library. */
static enum status on_upgrade(void *ctx, int fd, const struct front_visit *visit,
                              struct problem *refusal)
{
    static const char answer[] = "HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n";
    char head[1024];

    (void)ctx;
    (void)refusal;
    ssize_t n = recv(fd, head, sizeof head, MSG_DONTWAIT);
    if (n == (ssize_t)visit->head->head_bytes && strcmp(visit->peer_ip, "::1") == 0)
        (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    close(fd);
    return ST_OK;
}

static void upgrades_are_handed_on_and_ipv6_too(void **state)
{
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    struct rig *door = start(&folder, "g1", (struct rig_options){.listen = "[::1]:0"});
    struct rig *owner = start(
        &folder, "g2",
        (struct rig_options){.find_owner = is_for_nobody_else, .on_upgrade = on_upgrade});
    rig_ask(door,
            "GET /ws?to=g2 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            &answer);
    assert_int_equal(answer.status, 101);
    rig_ask(door, "GET /mirror?to=g2 HTTP/1.1\r\nHost: a\r\nX-Request-Id: six\r\n\r\n",
            &answer);
    assert_string_equal(answer.body, "/mirror?to=g2|::1|six");
    rig_stop(door);
    rig_stop(owner);
    pass_folder_remove(&folder);
}

/* The address is counted where its request is answered, and nowhere else. */
static void limits_are_those_of_the_owner(void **state)
{
    static const struct peer_limits_config one = {
        .connections = 1,
        .pending = 1,
        .handshakes = {100, 1000},
        .all_handshakes = {100, 1000},
        .counts_loopback = true,
        .max_addresses = 4,
    };
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    struct rig *door = start(&folder, "g1", (struct rig_options){.limits = &one});
    struct rig *owner =
        start(&folder, "g2",
              (struct rig_options){.find_owner = is_for_nobody_else, .limits = &one});
    int fd = rig_connect(door);
    rig_send(fd, SLICE("GET /hold?to=g2 HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(rig_wait_for(&owner->held, 1, RIG_WAIT_MS));
    rig_ask(door, "GET /health?to=g2 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    rig_expect_problem(&answer, 429, "E_LIMIT");
    rig_ask(door, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    close(fd);
    assert_true(rig_wait_for(&owner->gone, 1, RIG_WAIT_MS));
    rig_stop(door);
    rig_stop(owner);
    pass_folder_remove(&folder);
}

static void a_small_limit_of_descriptors_is_kept(void **state)
{
    struct pass_folder folder;
    struct rig_answer answer;

    (void)state;
    pass_folder_make(&folder);
    struct rig *door = start(&folder, "g1", (struct rig_options){0});
    struct rig *owner =
        start(&folder, "g2",
              (struct rig_options){.find_owner = is_for_nobody_else, .max_fd = 3});
    rig_ask(door, "GET /health?to=g2 HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    rig_expect_problem(&answer, 503, "E_BUSY");
    rig_stop(door);
    rig_stop(owner);
    pass_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_by_its_owner),
        cmocka_unit_test(a_head_in_pieces_and_a_later_body_arrive_whole),
        cmocka_unit_test(a_request_is_handed_on_only_once),
        cmocka_unit_test(an_owner_that_was_never_there_leaves_it_to_us),
        cmocka_unit_test(an_owner_that_is_dead_is_503_after_a_while),
        cmocka_unit_test(a_request_waits_for_an_owner_that_comes_back),
        cmocka_unit_test(a_burst_arrives_whole_and_leaves_no_descriptor),
        cmocka_unit_test(an_owner_that_takes_nothing_is_503),
        cmocka_unit_test(upgrades_are_handed_on_and_ipv6_too),
        cmocka_unit_test(limits_are_those_of_the_owner),
        cmocka_unit_test(a_small_limit_of_descriptors_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

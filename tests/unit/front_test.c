/* The front on real sockets: which heads it lets in, to whom, and how it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/bad_heads.h"
#include "support/http_rig.h"

#define GET_HEALTH "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
#define UPGRADE(target)                                                                  \
    "GET " target                                                                        \
    " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"              \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void expect_refusal(struct rig *rig, struct slice head)
{
    struct rig_answer answer;
    int fd = rig_connect(rig);

    rig_send(fd, head);
    rig_read(fd, &answer);
    assert_in_range(answer.status, 400, 599);
    assert_non_null(strstr(answer.head, "application/problem+json"));
    assert_non_null(strstr(answer.head, "X-Request-Id: "));
    assert_true(rig_is_closed(fd));
    close(fd);
}

static void bad_first_heads_are_refused(void **state)
{
    static const char *const methods[] = {"GET /health", "POST /echo"};
    struct rig *rig = rig_start((struct rig_options){0});
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bad_heads / sizeof *bad_heads; i++, count++)
        expect_refusal(rig, bad_heads[i]);
    for (size_t i = 0; i < 2 * sizeof bad_fields / sizeof *bad_fields; i++, count++) {
        struct buf head = {.max = 4096};
        buf_print(&head, "%s HTTP/1.1\r\nHost: a\r\n", methods[i % 2]);
        buf_add(&head, bad_fields[i / 2]);
        buf_add_text(&head, "\r\n\r\n");
        expect_refusal(rig, buf_slice(&head));
        buf_finish(&head);
    }
    assert_true(count >= 100);
    rig_expect_calm(rig);
    assert_int_equal(atomic_load(&rig->metrics.values[METRIC_HTTP_REFUSED]), count);
    rig_stop(rig);
}

static void heads_that_are_too_large_are_refused(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    struct buf head = {.max = 20000};

    (void)state;
    /* The largest head that is let in must be answered by libmicrohttpd, too. */
    buf_add_text(&head, "GET /health HTTP/1.1\r\nHost: a\r\nX-Pad: ");
    while (head.len < LIMIT_HTTP_HEAD_BYTES - 5)
        buf_add_byte(&head, 'x');
    buf_add_text(&head, "\r\n\r\n");
    buf_add_byte(&head, '\0');
    rig_ask(rig, head.ptr, &answer);
    assert_int_equal(answer.status, 200);

    buf_clear(&head);
    buf_add_text(&head, "GET /health HTTP/1.1\r\nHost: a\r\nX-Pad: ");
    while (head.len < 15000)
        buf_add_byte(&head, 'x');
    buf_add_byte(&head, '\0');
    rig_ask(rig, head.ptr, &answer);
    rig_expect_problem(&answer, 431, "E_BAD_REQUEST");

    buf_clear(&head);
    buf_add_text(&head, "GET /health HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < LIMIT_HTTP_FIELDS; i++)
        buf_add_text(&head, "a: b\r\n");
    buf_add_text(&head, "\r\n");
    buf_add_byte(&head, '\0');
    rig_ask(rig, head.ptr, &answer);
    rig_expect_problem(&answer, 431, "E_BAD_REQUEST");
    buf_finish(&head);
    rig_stop(rig);
}

/* Closing over unread bytes would reset the connection and lose the answer. */
static void a_refusal_can_be_read_while_a_body_is_in_flight(void **state)
{
    enum {
        BODY = 100000,
    };
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    char *body = calloc(1, BODY);

    (void)state;
    for (int i = 0; i < 30; i++) {
        int fd = rig_connect(rig);
        rig_send(fd, slice_of("POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n"
                              "Content-Length: 100000\r\n\r\n"));
        rig_send(fd, (struct slice){body, BODY});
        rig_read(fd, &answer);
        rig_expect_problem(&answer, 400, "E_BAD_REQUEST");
        close(fd);
    }
    free(body);
    rig_stop(rig);
}

/* Takes the socket like a WebSocket library: reads the head and answers. */
static enum status on_upgrade(void *ctx, int fd, const struct front_visit *visit,
                              struct problem *refusal)
{
    static const char answer[] = "HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n";
    char head[1024];

    (void)ctx;
    if (!slice_is(visit->head->path, "/ws")) {
        refusal->detail = "No mount here.";
        return ST_FORBIDDEN;
    }
    ssize_t n = recv(fd, head, sizeof head, MSG_DONTWAIT);
    if (n == (ssize_t)visit->head->head_bytes && strcmp(visit->peer_ip, "127.0.0.1") == 0)
        (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    close(fd);
    return ST_OK;
}

static void an_upgrade_goes_to_its_taker_unread(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.on_upgrade = on_upgrade});
    struct rig_answer answer;

    (void)state;
    rig_ask(rig, UPGRADE("/ws?x=1"), &answer);
    assert_int_equal(answer.status, 101);

    int fd = rig_connect(rig); /* in pieces: it has had a handle of ours */
    const char *request = UPGRADE("/ws");
    rig_send(fd, slice_first(slice_of(request), 30));
    usleep(20000);
    rig_send(fd, slice_from(slice_of(request), 30));
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 101);
    close(fd);
    rig_stop(rig);
}

static void a_refused_upgrade_is_a_problem(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.on_upgrade = on_upgrade});
    struct rig *plain = rig_start((struct rig_options){0});
    struct rig_answer answer;

    (void)state;
    rig_ask(rig, UPGRADE("/other"), &answer);
    rig_expect_problem(&answer, 403, "E_FORBIDDEN");
    assert_non_null(strstr(answer.body, "No mount here."));
    rig_ask(
        rig,
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        &answer);
    rig_expect_problem(&answer, 426, "E_BAD_REQUEST");
    assert_non_null(strstr(answer.head, "Sec-WebSocket-Version: 13\r\n"));
    rig_ask(plain, UPGRADE("/ws"), &answer);
    rig_expect_problem(&answer, 404, "E_NOT_FOUND");
    rig_stop(rig);
    rig_stop(plain);
}

static void partial_heads_cost_nothing_and_time_out(void **state)
{
    enum {
        COUNT = 200,
    };
    struct rig *rig = rig_start((struct rig_options){.head_deadline_ms = 1000});
    struct rig_answer answer;
    int fds[COUNT];

    (void)state;
    uint64_t began = clock_ms();
    for (int i = 0; i < COUNT; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_first(slice_of(GET_HEALTH), (size_t)i % 30));
    }
    rig_expect_calm(rig);
    for (int i = 0; i < COUNT; i++) {
        rig_read(fds[i], &answer);
        rig_expect_problem(&answer, 408, "E_TIMEOUT");
        close(fds[i]);
    }
    assert_in_range(clock_ms() - began, 900, 2500);
    rig_stop(rig);
}

/* Each byte comes in time, all of them do not. */
static void a_dripping_head_is_cut_at_its_total_deadline(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.head_deadline_ms = 500});
    struct rig_answer answer;
    int fd = rig_connect(rig);
    uint64_t began = clock_ms();

    (void)state;
    for (int i = 0; i < 40 && recv(fd, answer.body, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
         i++) {
        rig_send(fd, SLICE("G"));
        usleep(50000);
    }
    rig_read(fd, &answer);
    rig_expect_problem(&answer, 408, "E_TIMEOUT");
    assert_in_range(clock_ms() - began, 450, 1500);
    close(fd);
    rig_stop(rig);
}

static void the_oldest_half_head_makes_room_for_a_new_one(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.max_pending = 3});
    struct rig_answer answer;
    int fds[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of("GET /health HT"));
        usleep(20000);
    }
    rig_read(fds[0], &answer);
    rig_expect_problem(&answer, 503, "E_BUSY");
    for (int i = 1; i < 4; i++) {
        rig_send(fds[i], slice_of("TP/1.1\r\nHost: a\r\n\r\n"));
        rig_read(fds[i], &answer);
        assert_int_equal(answer.status, 200);
    }
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    rig_stop(rig);
}

static void a_peer_that_ends_within_its_head_is_forgotten(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});

    (void)state;
    for (int i = 0; i < 4; i++) {
        int fd = rig_connect(rig);
        if (i % 2)
            rig_send(fd, slice_of("GET /hea"));
        if (i / 2)
            usleep(20000);
        shutdown(fd, SHUT_WR);
        assert_true(rig_is_closed(fd));
        close(fd);
    }
    rig_expect_calm(rig);
    rig_stop(rig);
}

/* As many descriptors as the process may have: later connects are refused, not left to
 * wait, and the loop does not spin. */
static void without_descriptors_connects_get_503(void **state)
{
    enum {
        COUNT = 40,
        FREE = 8,
    };
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    struct rlimit before;
    int fds[COUNT];
    int served = 0;
    int refused = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(fds[0]);
    close(next);
    const struct rlimit few = {.rlim_cur = (rlim_t)next + FREE,
                               .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);

    for (int i = 0; i < COUNT; i++) {
        rig_connect_socket(rig, fds[i]);
        rig_send(fds[i], slice_of(GET_HEALTH));
    }
    for (int i = 0; i < COUNT; i++) {
        rig_read(fds[i], &answer);
        served += answer.status == 200;
        refused += answer.status == 503;
    }
    uint64_t cpu = rig_cpu_us();
    usleep(300000);
    assert_true(rig_cpu_us() - cpu < 30000);
    setrlimit(RLIMIT_NOFILE, &before);

    assert_in_range(served, 1, FREE);
    assert_int_equal(served + refused, COUNT);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void listens_where_it_is_told(void **state)
{
    static const struct {
        const char *address;
        const char *bound; /* NULL: refused */
    } rows[] = {
        {"127.0.0.1:0",     "127.0.0.1:"},
        {"[::1]:0",         "[::1]:"    },
        {"localhost:0",     NULL        },
        {"127.0.0.1",       NULL        },
        {"127.0.0.1:",      NULL        },
        {":0",              NULL        },
        {"127.0.0.1:65536", NULL        },
        {"127.0.0.1:-1",    NULL        },
        {"[::1:0",          NULL        },
        {"::1:0",           NULL        },
        {"[]:0",            NULL        },
        {"",                NULL        },
        {"192.0.2.1:0",     NULL        },
        {"127.0.0.1:0x1",   NULL        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *reason = NULL;
        char bound[64] = "";
        int fd = front_listen(rows[i].address, false, &reason);
        assert_true((fd >= 0) == (rows[i].bound != NULL));
        if (fd < 0) {
            assert_non_null(reason);
            continue;
        }
        front_address(fd, bound);
        assert_memory_equal(bound, rows[i].bound, strlen(rows[i].bound));
        assert_true(atoi(strrchr(bound, ':') + 1) > 0);
        close(fd);
    }
}

static void a_port_is_taken_once_unless_shared(void **state)
{
    const char *reason = NULL;
    char address[64];
    int first = front_listen("127.0.0.1:0", false, &reason);

    (void)state;
    front_address(first, address);
    assert_int_equal(front_listen(address, false, &reason), -1);
    assert_string_equal(reason, "the port is taken");
    close(first);

    first = front_listen("127.0.0.1:0", true, &reason);
    front_address(first, address);
    int second = front_listen(address, true, &reason);
    assert_true(second >= 0);
    close(first);
    close(second);
}

/* An IPv4 peer of a listener for everybody keeps its IPv4 name. */
static void peers_of_a_dual_listener_are_named_by_their_own_family(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.listen = "[::ffff:127.0.0.1]:0"});
    struct rig_answer answer;

    (void)state;
    rig_ask(rig, "GET /mirror HTTP/1.1\r\nHost: a\r\nX-Request-Id: i\r\n\r\n", &answer);
    assert_string_equal(answer.body, "/mirror|127.0.0.1|i");
    rig_stop(rig);
}

static void http_1_0_may_come_without_a_host(void **state)
{
    struct rig *rig = rig_start((struct rig_options){0});
    struct rig_answer answer;
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of("GET /health HTTP/1.0\r\n\r\n"));
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_first_heads_are_refused),
        cmocka_unit_test(heads_that_are_too_large_are_refused),
        cmocka_unit_test(a_refusal_can_be_read_while_a_body_is_in_flight),
        cmocka_unit_test(an_upgrade_goes_to_its_taker_unread),
        cmocka_unit_test(a_refused_upgrade_is_a_problem),
        cmocka_unit_test(partial_heads_cost_nothing_and_time_out),
        cmocka_unit_test(a_dripping_head_is_cut_at_its_total_deadline),
        cmocka_unit_test(the_oldest_half_head_makes_room_for_a_new_one),
        cmocka_unit_test(a_peer_that_ends_within_its_head_is_forgotten),
        cmocka_unit_test(without_descriptors_connects_get_503),
        cmocka_unit_test(listens_where_it_is_told),
        cmocka_unit_test(a_port_is_taken_once_unless_shared),
        cmocka_unit_test(peers_of_a_dual_listener_are_named_by_their_own_family),
        cmocka_unit_test(http_1_0_may_come_without_a_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

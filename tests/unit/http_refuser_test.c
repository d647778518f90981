/* Refusals on a bare socket: who lingers, and when who was refused may come back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/http_refuser.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct logger silent = {.level = LOG_LEVEL_ERROR, .role = "test"};
static const struct http_refusal nowhere = {.problem = {.status = ST_NOT_FOUND},
                                            .peer_ip = "127.0.0.1"};

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Whether the refuser keeps a descriptor this far from `max_fd` after its answer. */
static bool lingers(int beyond)
{
    uv_loop_t loop;
    struct metrics metrics = {0};
    char answer[1024] = "";
    int pair[2];

    uv_loop_init(&loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct http_refuser *refuser =
        http_refuser_create(&loop, &silent, &metrics, (unsigned)(pair[1] - beyond));
    http_refuser_answer(refuser, pair[1], &nowhere);
    bool is_kept = is_open(pair[1]);
    assert_true(recv(pair[0], answer, sizeof answer - 1, 0) > 0);
    assert_non_null(strstr(answer, "HTTP/1.1 404 "));
    http_refuser_destroy(refuser);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_false(is_open(pair[1]));
    close(pair[0]);
    return is_kept;
}

static void no_descriptor_of_the_reserve_lingers(void **state)
{
    (void)state;
    assert_true(lingers(-1));
    assert_false(lingers(0));
    assert_false(lingers(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_descriptor_of_the_reserve_lingers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Refusals on a bare socket: who lingers, and when who was refused may come back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/http_refuser.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
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

/* With one second for all, whoever was sent away would come back in one moment. */
static void who_is_to_come_back_is_told_one_of_five_seconds(void **state)
{
    static const enum status passing[] = {ST_BUSY, ST_DRAINING, ST_LIMIT};
    const char *value;
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        const char *name = http_refusal_header(passing[i % 3], NULL, &value);
        assert_string_equal(name, "Retry-After");
        assert_in_range(atoi(value), 1, 5);
        seen |= 1U << atoi(value);
    }
    assert_int_equal(seen, 0x3e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_descriptor_of_the_reserve_lingers),
        cmocka_unit_test(who_is_to_come_back_is_told_one_of_five_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A secret is read whole, also from a pipe, and an empty one is none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/secret_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum status read_bytes(const char *bytes, size_t len, char **text,
                              const char **reason)
{
    char path[] = "/tmp/sidecast-secret-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    enum status st = secret_file_read(path, text, reason);
    unlink(path);
    return st;
}

static void blanks_around_it_are_no_part_of_it(void **state)
{
    const char *reason;
    char *text;

    (void)state;
    assert_int_equal(read_bytes(" \na b\r\n\n", 8, &text, &reason), ST_OK);
    assert_string_equal(text, "a b");
    free(text);
}

static void what_is_no_secret_is_refused_with_a_reason(void **state)
{
    static char large[SECRET_FILE_BYTES];
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"",     0           },
        {" \n ", 3           },
        {"a\0b", 3           },
        {large,  sizeof large},
    };
    const char *reason;
    char *text;

    (void)state;
    memset(large, 'x', sizeof large);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reason = NULL;
        assert_int_not_equal(read_bytes(rows[i].bytes, rows[i].len, &text, &reason),
                             ST_OK);
        assert_null(text);
        assert_non_null(reason);
    }
    assert_int_equal(secret_file_read("/nowhere", &text, &reason), ST_NOT_FOUND);
    assert_string_equal(reason, "No such file or directory");
}

/* sidecast sub --token-file <(mint-a-token) */
static void a_pipe_is_read_to_its_end(void **state)
{
    char path[32];
    const char *reason;
    char *text;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t writer = fork();
    if (writer == 0) {
        bool ok = write(ends[1], "first ", 6) == 6 && usleep(50 * 1000) == 0 &&
                  write(ends[1], "second\n", 7) == 7;
        _exit(ok ? 0 : 1);
    }
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(secret_file_read(path, &text, &reason), ST_OK);
    assert_string_equal(text, "first second");
    free(text);
    close(ends[0]);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_around_it_are_no_part_of_it),
        cmocka_unit_test(what_is_no_secret_is_refused_with_a_reason),
        cmocka_unit_test(a_pipe_is_read_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

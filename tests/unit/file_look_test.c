/* Looks at files: what was changed is seen, also when it could not be read at once. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/file_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    char path[64];
};

static void file_write(struct file *file, const char *text)
{
    FILE *out = fopen(file->path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static int set_up(void **state)
{
    struct file *file = calloc(1, sizeof *file);

    snprintf(file->path, sizeof file->path, "/tmp/file-look-XXXXXX");
    close(mkstemp(file->path));
    file_write(file, "one");
    *state = file;
    return 0;
}

static int tear_down(void **state)
{
    struct file *file = *state;

    unlink(file->path);
    free(file);
    return 0;
}

/* Both ways, as they do who watch a file. Its age plays no part here. */
static struct file_look look_at(const struct file *file)
{
    struct file_look look = {0};

    file_look_outside(&look, file->path);
    look.is_young = false;
    file_look_inside(&look, file->path);
    return look;
}

/* No descriptor is free for the look. */
static struct file_look look_without_descriptors(const struct file *file)
{
    struct rlimit before, none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct file_look look = look_at(file);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return look;
}

static void a_file_that_was_not_changed_looks_the_same(void **state)
{
    const struct file *file = *state;
    struct file_look before = look_at(file), now = look_at(file);

    assert_true(file_look_is_same_outside(&before, &now));
    assert_true(file_look_is_same_inside(&before, &now));
}

static void what_was_written_anew_looks_other(void **state)
{
    struct file *file = *state;
    struct file_look before = look_at(file);

    file_write(file, "another");
    struct file_look now = look_at(file);
    assert_false(file_look_is_same_outside(&before, &now));
    assert_false(file_look_is_same_inside(&before, &now));
}

static void a_file_that_cannot_be_read_is_read_at_the_next_look(void **state)
{
    const struct file *file = *state;
    struct file_look before = look_without_descriptors(file), now = look_at(file);

    assert_false(file_look_is_same_outside(&before, &now));
    assert_false(file_look_is_same_inside(&before, &now));
    before = look_without_descriptors(file);
    now = look_without_descriptors(file);
    assert_true(file_look_is_same_inside(&before, &now));
}

static void a_file_that_says_nothing_is_not_read_again_and_again(void **state)
{
    struct file *file = *state;

    file_write(file, "");
    struct file_look before = look_at(file), now = look_at(file);
    assert_true(file_look_is_same_outside(&before, &now));
}

static void a_file_that_is_longer_than_a_secret_looks_other_when_it_is(void **state)
{
    struct file *file = *state;
    static char text[100 * 1000];

    memset(text, 'a', sizeof text - 1);
    file_write(file, text);
    struct file_look before = look_at(file), same = look_at(file);
    text[sizeof text - 2] = '\0';
    file_write(file, text);
    struct file_look now = look_at(file);
    assert_true(file_look_is_same_inside(&before, &same));
    assert_false(file_look_is_same_inside(&before, &now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_was_not_changed_looks_the_same,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_written_anew_looks_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_cannot_be_read_is_read_at_the_next_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_says_nothing_is_not_read_again_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_is_longer_than_a_secret_looks_other_when_it_is, set_up,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

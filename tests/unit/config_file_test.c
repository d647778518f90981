/* A configuration file where it is not, or its folder is not any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/config_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void open_with_fault(const char *path, const char *words)
{
    struct faults faults = {0};
    struct buf out = {.max = 4096};
    struct config_file *file = config_file_open(path, &faults);

    assert_non_null(file);
    assert_int_equal(faults.count, 1);
    config_file_print(file, &faults, &out);
    buf_add_byte(&out, '\0');
    if (!strstr(out.ptr, words))
        assert_string_equal(out.ptr, words);
    buf_finish(&out);
    faults_finish(&faults);
    config_file_close(file);
}

static void a_file_that_is_not_there_is_a_fault(void **state)
{
    (void)state;
    open_with_fault("/nowhere/x.yaml", "/nowhere/x.yaml: cannot be read: No such file");
}

static void a_relative_path_in_a_folder_that_is_gone_is_a_fault(void **state)
{
    char folder[] = "/tmp/sidecast-config-XXXXXX", back[4096];

    (void)state;
    assert_non_null(getcwd(back, sizeof back));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(rmdir(folder), 0);
    open_with_fault("x.yaml", "x.yaml: cannot be read: the working folder: No such file");
    open_with_fault("/nowhere/x.yaml", "/nowhere/x.yaml: cannot be read: No such file");
    assert_int_equal(chdir(back), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_is_a_fault),
        cmocka_unit_test(a_relative_path_in_a_folder_that_is_gone_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

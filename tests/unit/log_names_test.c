/* A system's own words in log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/log_names.h"
#include "support/yaml_node.h"

#include <string.h>

static void a_system_calls_lines_and_fields_as_it_likes(void **state)
{
    struct document_node node =
        yaml_node("{names: {client connected: socket_connect, sid: 'connection id'}}");
    struct faults faults = {0};
    struct log_names *names = log_names_compile(&node, &faults);

    (void)state;
    assert_non_null(names);
    assert_string_equal(log_names_find(names, "client connected"), "socket_connect");
    assert_string_equal(log_names_find(names, "sid"), "connection id");
    assert_string_equal(log_names_find(names, "user"), "user");
    assert_string_equal(log_names_find(names, "ready"), "ready");
    log_names_destroy(names);
    document_finish(&node);
}

static void without_names_all_is_called_as_here(void **state)
{
    struct faults faults = {0};
    struct log_names *names = log_names_compile(NULL, &faults);

    (void)state;
    assert_string_equal(log_names_find(names, "sid"), "sid");
    assert_string_equal(log_names_find(NULL, "sid"), "sid");
    log_names_destroy(names);
}

static void a_word_that_no_line_has_is_a_fault_beside_the_nearest(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *hint;
    } rows[] = {
        {"{names: {cleint connected: x, usr: y}}", 2, "client connected"},
        {"{names: [a]}",                           1, NULL              },
        {"{names: {sid: [a]}}",                    1, NULL              },
        {"{names: {sid: ''}}",                     1, NULL              },
        {"{names: {sid: \"a\\nb\"}}",              1, NULL              },
        {"{names: {ready: 'by {usr}'}}",           1, "user"            },
        {"{prefixes: {gatway: '[x]', ready: ''}}", 2, "gateway"         },
        {"{prefixes: [a]}",                        1, NULL              },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node node = yaml_node(rows[i].text);
        struct faults faults = {0};
        assert_null(log_names_compile(&node, &faults));
        assert_int_equal(faults.count, rows[i].count);
        if (rows[i].hint)
            assert_non_null(strstr(faults.items[0].hint, rows[i].hint));
        faults_finish(&faults);
        document_finish(&node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_calls_lines_and_fields_as_it_likes),
        cmocka_unit_test(without_names_all_is_called_as_here),
        cmocka_unit_test(a_word_that_no_line_has_is_a_fault_beside_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

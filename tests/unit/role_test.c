/* What the log is to remember for those who are away. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/role.h"
#include "proto/mount_rules.h"
#include "support/yaml_node.h"

static void marks_outlast_a_window_that_begins_late(void **state)
{
    static const struct {
        uint64_t window_ms;
        const char *mounts;
        uint64_t longest_ms; /* from the last pong to the return */
    } rows[] = {
        {30000,  "[{path: /a}]",                                         75000 },
        {1000,   "[{path: /a}]",                                         46000 },
        {120000, "[{path: /a}]",                                         165000},
        {30000,  "[{path: /a}, {path: /b, ping_interval: 5m}]",          350000},
        {30000,  "[{path: /a, ping_interval: 1s, ping_timeout: 200ms}]", 50000 }, /* dies */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node node = yaml_node(rows[i].mounts);
        struct faults faults = {0};
        struct mount_rules *mounts = mount_rules_compile(&node, &faults);
        struct config config = {
            .gateway = {.ping_interval_ms = 25000, .ping_timeout_ms = 20000},
            .recovery = {.window_ms = rows[i].window_ms                        },
        };
        assert_non_null(mounts);
        assert_in_range(role_mark_age_ms(&config, mounts), rows[i].longest_ms,
                        3 * rows[i].longest_ms);
        mount_rules_destroy(mounts);
        document_finish(&node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_outlast_a_window_that_begins_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

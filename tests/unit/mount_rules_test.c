/* Mounts: which path is whose, what they take over, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/mount_rules.h"
#include "support/yaml_node.h"

#include <string.h>

static struct mount_rules *rules_of(const char *yaml)
{
    struct document_node node = yaml_node(yaml);
    struct faults faults = {0};
    struct mount_rules *rules = mount_rules_compile(&node, &faults);

    if (!rules)
        fail_msg("%s", faults.items[0].message);
    document_finish(&node);
    return rules;
}

/* The index of the mount, or -1. */
static int found(const struct mount_rules *rules, const char *path)
{
    size_t index;

    return mount_rules_find(rules, slice_of(path), &index) ? (int)index : -1;
}

static void the_longest_path_has_the_request(void **state)
{
    static const struct {
        const char *path;
        int mount;
    } rows[] = {
        {"/socket.io/",       0 },
        {"/socket.io",        0 },
        {"/socket.io/x/y",    0 },
        {"/socket.iox",       -1},
        {"/socket.i",         -1},
        {"/ws/socket.io/",    0 },
        {"/ws",               1 },
        {"/ws/",              1 },
        {"/ws/below",         -1},
        {"/socket.io/echo",   2 },
        {"/socket.io/echo/",  2 },
        {"/socket.io/echo/z", 2 },
        {"/socket.io/echoes", 0 },
        {"/",                 -1},
        {"",                  -1},
    };
    struct mount_rules *rules =
        rules_of("[{path: [/socket.io/, /ws/socket.io]}, {path: /ws, dialect: native}, "
                 "{path: /socket.io/echo/, dialect: echo}]");

    (void)state;
    assert_int_equal(mount_rules_count(rules), 3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (found(rules, rows[i].path) != rows[i].mount)
            fail_msg("%s is of %d", rows[i].path, found(rules, rows[i].path));
    mount_rules_destroy(rules);
}

static void a_mount_of_the_root_has_all_that_is_nobody_elses(void **state)
{
    struct mount_rules *rules = rules_of("[{path: /}, {path: /ws, dialect: native}]");

    (void)state;
    assert_int_equal(found(rules, "/"), 0);
    assert_int_equal(found(rules, "/any/thing"), 0);
    assert_int_equal(found(rules, "/ws"), 1);
    mount_rules_destroy(rules);
}

static void without_a_table_there_is_one_of_each_kind(void **state)
{
    struct faults faults = {0};
    struct mount_rules *rules = mount_rules_compile(NULL, &faults);

    (void)state;
    assert_non_null(rules);
    assert_int_equal(mount_rules_at(rules, (size_t)found(rules, "/socket.io/"))->dialect,
                     MOUNT_SOCKETIO);
    assert_int_equal(mount_rules_at(rules, (size_t)found(rules, "/ws"))->dialect,
                     MOUNT_NATIVE);
    mount_rules_destroy(rules);
}

static void what_a_mount_leaves_out_is_as_the_gateway_says(void **state)
{
    static const struct mount_settings defaults = {
        .ping_interval_ms = 1,
        .ping_timeout_ms = 2,
        .upgrade_timeout_ms = 3,
        .connect_timeout_ms = 4,
        .max_message_bytes = 5,
        .transports = MOUNT_WEBSOCKET | MOUNT_POLLING,
        .may_upgrade = true,
        .compress_polling_bytes = 6,
        .cookie = "io",
    };
    struct mount_rules *rules =
        rules_of("[{path: /a}, {path: /b, ping_interval: 300ms, ping_timeout: 200ms, "
                 "upgrade_timeout: 1s, connect_timeout: 2s, max_message_size: 1KiB, "
                 "transports: [polling], upgrades: false, compress: {polling: 2KiB}, "
                 "cookie: sid-2}, "
                 "{path: /c, transports: websocket, upgrades: on, "
                 "compress: {polling: 0B}, cookie: \"\"}]");
    struct mount_settings a = mount_rule_settle(mount_rules_at(rules, 0), &defaults);
    struct mount_settings b = mount_rule_settle(mount_rules_at(rules, 1), &defaults);
    struct mount_settings c = mount_rule_settle(mount_rules_at(rules, 2), &defaults);

    (void)state;
    assert_int_equal(a.ping_interval_ms, 1);
    assert_int_equal(a.ping_timeout_ms, 2);
    assert_int_equal(a.upgrade_timeout_ms, 3);
    assert_int_equal(a.connect_timeout_ms, 4);
    assert_int_equal(a.max_message_bytes, 5);
    assert_int_equal(a.transports, MOUNT_WEBSOCKET | MOUNT_POLLING);
    assert_true(a.may_upgrade);
    assert_int_equal(a.compress_polling_bytes, 6);
    assert_string_equal(a.cookie, "io");
    assert_int_equal(b.compress_polling_bytes, 2048);
    assert_string_equal(b.cookie, "sid-2");
    assert_int_equal(c.compress_polling_bytes, 0);
    assert_string_equal(c.cookie, "");
    assert_int_equal(b.ping_interval_ms, 300);
    assert_int_equal(b.ping_timeout_ms, 200);
    assert_int_equal(b.upgrade_timeout_ms, 1000);
    assert_int_equal(b.connect_timeout_ms, 2000);
    assert_int_equal(b.max_message_bytes, 1024);
    assert_int_equal(b.transports, MOUNT_POLLING);
    assert_false(b.may_upgrade);
    assert_int_equal(c.transports, MOUNT_WEBSOCKET);
    assert_true(c.may_upgrade);
    mount_rules_destroy(rules);
}

static void transports_are_read_from_words(void **state)
{
    (void)state;
    assert_int_equal(mount_transports_parse(SLICE("websocket")), MOUNT_WEBSOCKET);
    assert_int_equal(mount_transports_parse(SLICE("polling, websocket")),
                     MOUNT_WEBSOCKET | MOUNT_POLLING);
    assert_int_equal(mount_transports_parse(SLICE("")), 0);
    assert_int_equal(mount_transports_parse(SLICE("carrier pigeon,polling")),
                     MOUNT_POLLING);
}

static void each_fault_is_told_where_it_stands(void **state)
{
    static const struct {
        const char *yaml;
        const char *message;
    } rows[] = {
        {"{}",                                                 "mounts is a list: [{path: /socket.io/}, {path: /ws, dialect: "
               "native}]"                                                                                  },
        {"[]",                                                 "mounts is a list: [{path: /socket.io/}, {path: /ws, dialect: "
               "native}]"                                                                                  },
        {"[/ws]",                                              "a mount is a map: {path: /socket.io/, dialect: socketio}"},
        {"[{dialect: echo}]",                                  "a mount needs a path: /socket.io/"                       },
        {"[{path: []}]",                                       "a mount needs a path: /socket.io/"                       },
        {"[{path: {}}]",                                       "path is one text, or a list of them: /socket.io/"        },
        {"[{path: ws}]",                                       "path begins with a slash: /socket.io/"                   },
        {"[{path: '/a?b'}]",
         "path is of printable ASCII, without ? # % * and backslash: /socket.io/"                                        },
        {"[{path: '/a b'}]",
         "path is of printable ASCII, without ? # % * and backslash: /socket.io/"                                        },
        {"[{path: /a}, {path: /a/}]",                          "there is a mount at /a/ already"                         },
        {"[{path: [/a, /b, /a]}]",                             "there is a mount at /a already"                          },
        {"[{path: /a, dialect: socket.io}]",                   "dialect cannot be \"socket.io\""                         },
        {"[{path: /a, transports: []}]",
         "transports needs at least one of websocket and polling"                                                        },
        {"[{path: /a, transports: [udp]}]",                    "transports cannot be \"udp\""                            },
        {"[{path: /a, dialect: native, transports: polling}]",
         "the native dialect is spoken over websocket alone"                                                             },
        {"[{path: /a, ping_interval: 25}]",
         "ping_interval needs a unit, for instance 250ms, 25s, 5m or 1h"                                                 },
        {"[{path: /a, max_message_size: 2MB}]",
         "max_message_size must lie between 1B and 1MB"                                                                  },
        {"[{path: /a, upgrades: maybe}]",                      "upgrades cannot be \"maybe\""                            },
        {"[{path: /a, cookie: 'a b'}]",
         "cookie must be at most 64 letters, digits, '-', '_' and '.'"                                                   },
        {"[{path: /a, cookie: []}]",
         "cookie must be at most 64 letters, digits, '-', '_' and '.'"                                                   },
        {"[{path: /a, compress: {polling: 2MiB}}]",
         "compress.polling must be at most 1MiB; 0B: none"                                                               },
        {"[{path: /a, compress: {polling: 5}}]",
         "compress.polling needs a unit, for instance 512B, 64KiB or 1MB"                                                },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node node = yaml_node(rows[i].yaml);
        struct faults faults = {0};
        assert_null(mount_rules_compile(&node, &faults));
        if (faults.count != 1 || strcmp(faults.items[0].message, rows[i].message) != 0)
            fail_msg("%s: %zu, %s", rows[i].yaml, faults.count, faults.items[0].message);
        assert_int_equal(faults.items[0].place.line, 1);
        faults_finish(&faults);
        document_finish(&node);
    }
}

static void all_faults_are_found_at_once(void **state)
{
    struct document_node node = yaml_node("- {path: ws}\n"
                                          "- {path: /a, dialect: echoes}\n"
                                          "- {path: [/b, /c, /b]}\n"
                                          "- {path: /d, ping_timeout: x, upgrades: 1}\n");
    static const unsigned lines[] = {1, 2, 3, 4, 4};
    struct faults faults = {0};

    (void)state;
    assert_null(mount_rules_compile(&node, &faults));
    assert_int_equal(faults.count, 5);
    for (size_t i = 0; i < faults.count; i++)
        assert_int_equal(faults.items[i].place.line, lines[i]);
    faults_finish(&faults);
    document_finish(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_path_has_the_request),
        cmocka_unit_test(a_mount_of_the_root_has_all_that_is_nobody_elses),
        cmocka_unit_test(without_a_table_there_is_one_of_each_kind),
        cmocka_unit_test(what_a_mount_leaves_out_is_as_the_gateway_says),
        cmocka_unit_test(transports_are_read_from_words),
        cmocka_unit_test(each_fault_is_told_where_it_stands),
        cmocka_unit_test(all_faults_are_found_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rules of rooms and of claims: which row decides, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/claim_rules.h"
#include "proto/room_rules.h"
#include "support/yaml_node.h"

#include <stdio.h>
#include <string.h>

static const char rules_yaml[] =
    "rooms:\n"
    "  - {match: 'project:*', allow: token}\n"
    "  - {match: '**', allow: none}\n"
    "  - {match: 'project:open', allow: any, max_members: 100}\n"
    "  - {match: 'team:{claims.team}', allow: any}\n"
    "  - {match: 'club:{claims.clubs[]}', allow: any}\n"
    "  - {match: 'admin:*', allow: claim, require: {role: [admin, root], email: '*'}}\n"
    "  - {match: 'admin:*', allow: any}\n";

static const char red[] = "{\"team\":\"red\",\"clubs\":[1,\"two\"],\"role\":\"admin\","
                          "\"email\":\"a@b\"}";

/* The row that decides: its `allow`, or -1. */
static int asked(const struct room_rules *rules, const char *claims, const char *room)
{
    struct buf scratch = {.max = 4096};
    const struct room_rule *rule =
        room_rules_find(rules, slice_of(claims), slice_of(room), &scratch);

    buf_finish(&scratch);
    return rule ? (int)room_rule_allow(rule) : -1;
}

static void the_most_specific_row_decides(void **state)
{
    static const struct {
        const char *claims;
        const char *room;
        int allow;
    } rows[] = {
        {red,                    "project:7",    ROOM_ALLOW_TOKEN},
        {red,                    "project:open", ROOM_ALLOW_ANY  },
        {red,                    "project:7:x",  ROOM_ALLOW_NONE },
        {red,                    "lobby",        ROOM_ALLOW_NONE },
        {red,                    "team:red",     ROOM_ALLOW_ANY  },
        {red,                    "team:blue",    ROOM_ALLOW_NONE },
        {red,                    "club:1",       ROOM_ALLOW_ANY  },
        {red,                    "club:two",     ROOM_ALLOW_ANY  },
        {red,                    "club:3",       ROOM_ALLOW_NONE },
        {red,                    "admin:x",      ROOM_ALLOW_CLAIM},
        {"{}",                   "team:red",     ROOM_ALLOW_NONE },
        {"",                     "team:red",     ROOM_ALLOW_NONE },
        {"{\"team\":\"*\"}",     "team:red",     ROOM_ALLOW_NONE },
        {"{\"team\":\"red:x\"}", "team:red",     ROOM_ALLOW_NONE },
        {"{\"team\":\"red:x\"}", "team:red:x",   ROOM_ALLOW_NONE },
    };
    struct document_node node = yaml_node(rules_yaml);
    struct faults faults = {0};
    struct room_rules *rules = room_rules_compile(document_find(&node, "rooms"), &faults);

    (void)state;
    assert_non_null(rules);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (asked(rules, rows[i].claims, rows[i].room) != rows[i].allow)
            fail_msg("%s for %s", rows[i].room, rows[i].claims);
    room_rules_destroy(rules);
    document_finish(&node);
}

/* In a file the rows stand in any order: others between them change nothing. */
static void the_order_of_a_file_decides_only_among_equals(void **state)
{
    static const char *const files[] = {
        "[{match: 'a:*', allow: any}, {match: b, allow: any}, {match: 'a:b', allow: "
        "none}]",
        "[{match: b, allow: any}, {match: 'a:b', allow: none}, {match: 'a:*', allow: "
        "any}]",
        "[{match: '**', allow: any}, {match: b, allow: any}, {match: 'a:*', allow: any},"
        " {match: b:c:d, allow: any}, {match: 'a:b', allow: none}]",
        "[{match: 'a:b', allow: none}, {match: 'a:b', allow: any}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct document_node node = yaml_node(files[i]);
        struct faults faults = {0};
        struct room_rules *rules = room_rules_compile(&node, &faults);
        assert_non_null(rules);
        if (asked(rules, red, "a:b") != ROOM_ALLOW_NONE)
            fail_msg("file %zu", i);
        room_rules_destroy(rules);
        document_finish(&node);
    }
}

static void without_rows_none_decides(void **state)
{
    struct faults faults = {0};
    struct room_rules *rules = room_rules_compile(NULL, &faults);

    (void)state;
    assert_int_equal(asked(rules, red, "lobby"), -1);
    room_rules_destroy(rules);
}

static void claims_are_compared_by_value(void **state)
{
    static const struct {
        const char *claims;
        const char *failed; /* NULL: all hold */
    } rows[] = {
        {"{\"role\":\"admin\",\"level\":3,\"email\":\"x\"}",     NULL   },
        {"{\"role\":\"root\",\"level\":3.0,\"email\":false}",    NULL   },
        {"{\"role\":[\"x\",\"root\"],\"level\":3,\"email\":0}",  NULL   },
        {"{\"role\":\"adm\\u0069n\",\"level\":3,\"email\":0}",   NULL   },
        {"{\"role\":\"Admin\",\"level\":3,\"email\":\"x\"}",     "role" },
        {"{\"role\":\"admin\",\"level\":\"3\",\"email\":\"x\"}", "level"},
        {"{\"role\":\"admin\",\"level\":3,\"email\":null}",      "email"},
        {"{\"role\":\"admin\",\"level\":3}",                     "email"},
        {"{\"role\":[],\"level\":3,\"email\":1}",                "role" },
        {"",                                                     "role" },
    };
    struct document_node node = yaml_node("{role: [admin, root], level: 3, email: '*'}");
    struct faults faults = {0};
    struct claim_rules *rules = claim_rules_compile(&node, &faults);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *failed = NULL;
        bool holds = claim_rules_hold(rules, slice_of(rows[i].claims), &failed);
        assert_int_equal(holds, rows[i].failed == NULL);
        if (rows[i].failed)
            assert_string_equal(failed, rows[i].failed);
    }
    claim_rules_destroy(rules);
    document_finish(&node);
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct document_node node = yaml_node("rooms:\n"
                                          "  - {match: 'a b', allow: tokn}\n"
                                          "  - {allow: any, max_members: 0}\n"
                                          "  - {match: 'x:{payload.y}', allow: claim}\n"
                                          "  - {match: 'x', require: {a: {b: 1}}}\n"
                                          "  - text\n"
                                          "  - {match: '**:a'}\n"
                                          "  - {match: a, publish: [x], hidden: maybe}\n"
                                          "  - {match: a, publish: membrs}\n"
                                          "  - {match: a, publish: {a: [[1]]}}\n");
    static const unsigned lines[] = {2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10};
    struct faults faults = {0};

    (void)state;
    assert_null(room_rules_compile(document_find(&node, "rooms"), &faults));
    assert_int_equal(faults.count, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < faults.count; i++)
        assert_int_equal(faults.items[i].place.line, lines[i]);
    faults_finish(&faults);
    document_finish(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_row_decides),
        cmocka_unit_test(the_order_of_a_file_decides_only_among_equals),
        cmocka_unit_test(without_rows_none_decides),
        cmocka_unit_test(claims_are_compared_by_value),
        cmocka_unit_test(all_mistakes_are_found_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The catalog of events: what is in it, which mistakes are found at load, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/contract_folder.h"
#include "support/yaml_node.h"

#include "proto/event_rules.h"
#include "proto/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTED "{\"type\":\"object\",\"required\":[\"n\"]}"

/* A catalog from a text and a folder made of nothing: see support/contract_folder.h. */
struct catalog {
    struct document_node root;
    struct event_rules *rules;
    struct faults faults;
    struct contract_folder folder;
};

static void catalog_make(struct catalog *catalog, const char *yaml, bool has_contracts)
{
    static const struct contract_text texts[] = {
        {"agent_update", "agent_update.schema.json",  COUNTED           },
        {"message:new",  "message%3Anew.schema.json", COUNTED           },
        {NULL,           "broken.json",               "{\n \"tpye\": 1}"},
    };
    char *text = NULL;

    assert_true(asprintf(&text, "%s%s", yaml, has_contracts ? "\ncontracts: c" : "") >=
                0);
    *catalog = (struct catalog){.root = yaml_node(text)};
    free(text);
    contract_folder_open(&catalog->folder, texts, has_contracts ? 3 : 0);
    struct system_files files = contract_folder_files(&catalog->folder);
    catalog->rules = event_rules_compile(&catalog->root, &files, &catalog->faults);
}

static void catalog_drop(struct catalog *catalog)
{
    event_rules_destroy(catalog->rules);
    contract_folder_close(&catalog->folder);
    document_finish(&catalog->root);
    faults_finish(&catalog->faults);
}

static void every_mistake_has_its_place_and_its_hint(void **state)
{
    static const struct {
        const char *yaml;
        const char *said;
        unsigned line, column;
    } rows[] = {
        {"events: [a]",                                                  "events is a map",              1, 9 },
        {"events:\n  a: [b]",                                            "an event is a map",            2, 6 },
        {"events:\n  \"\": {}",                                          "name is empty",                2, 3 },
        {"events:\n  connect: {}",                                       "client's own life cycle",      2, 3 },
        {"events:\n  a:\n    contract: agent_updat.schema.json",
         "did you mean \"agent_update.schema.json\"?",                                                   3, 15},
        {"events:\n  a:\n    contract: {tpye: object}",                  "did you mean \"type\"?",       3, 16},
        {"events:\n  a:\n    contract: [1]",                             "a schema is a map",            3, 15},
        {"events:\n  a:\n    to: \"project {payload.id}\"",              "",                             3, 9 },
        {"events:\n  a:\n    to: \"{claims.sub}\"",                      "nothing here is called",       3, 9 },
        {"events:\n  a:\n    to: \"x:{payloda.id}\"",                    "did you mean \"payload\"?",    3, 9 },
        {"events:\n  a:\n    to: []",                                    "from 1 to 1,000",              3, 9 },
        {"events:\n  a:\n    to: [[b]]",                                 "must be a text",               3, 10},
        {"events:\n  a:\n    to: {user: b}",                             "did you mean \"users\"?",      3, 10},
        {"events:\n  a:\n    to: {users: b, rooms: c}",                  "exactly one of",               3, 9 },
        {"events:\n  a:\n    to: {first: [{}]}",                         "must be a text",               3, 18},
        {"events:\n  a:\n    envelope: {data: \"{payload\"}",            "a brace is open",              3, 22},
        {"events:\n  a:\n    envelope: \"{payload.items[]}\"",           "write a list around",          3,
         15                                                                                                   },
        {"events:\n  a:\n    args: {x: 1}",                              "args is a list",               3, 11},
        {"events:\n  a:\n    envelope: 1\n    args: [1]",                "exclude each other",           4, 11},
        {"events:\n  a:\n    emit_as: []",                               "this list is empty",           3, 14},
        {"events:\n  a:\n    emit_as: [disconnect]",                     "client's own life cycle",      3, 15},
        {"events:\n  a:\n    emit_as: [b, {c: d}]",                      "must be a text",               3, 18},
        {"events:\n  a:\n    emit_as: [b, c, b]",                        "in the list already",          3, 21},
        {"events:\n  a:\n    publish: [\"\"]",                           "the name of a key",            3, 15},
        {"events:\n  a:\n    volatile: yes",                             "this is on or off",            3, 15},
        {"events:\n  a:\n    history: {size: 5}",                        "this is on or off",            3, 14},
        {"events:\n  a: {}\n  b:\n    aliases: [c, a]",                  "\"a\" is the name of another", 4,
         18                                                                                                   },
        {"events:\n  agent_update: {}\n  b: {aliases: \"message:new\"}",
         "\"message:new\" is the name of another",                                                       3, 16},
        {"unknown_events: denny",                                        "did you mean \"deny\"?",       1, 17},
        {"unknown_events: [deny]",                                       "deny or allow",                1, 17},
        {"envelope: {at: \"{now.iso8601}\"}",                            "",                             1, 16},
    };
    struct catalog catalog;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        catalog_make(&catalog, rows[i].yaml, true);
        assert_null(catalog.rules);
        assert_true(catalog.faults.count >= 1);
        const struct fault *fault = &catalog.faults.items[0];
        if (!strstr(fault->message, rows[i].said) &&
            !(fault->hint && strstr(fault->hint, rows[i].said)))
            fail_msg("%s: said %s", rows[i].yaml, fault->message);
        if (fault->place.line != rows[i].line || fault->place.column != rows[i].column)
            fail_msg("%s: at %u:%u", rows[i].yaml, fault->place.line,
                     fault->place.column);
        catalog_drop(&catalog);
    }
}

static void an_event_has_at_most_so_many_names(void **state)
{
    static const size_t counts[] = {LIMIT_EMIT_NAMES, LIMIT_EMIT_NAMES + 1};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf yaml = {.max = 4096};
        struct catalog catalog;
        buf_add_text(&yaml, "events:\n  a:\n    emit_as: [n");
        for (size_t n = 1; n < counts[i]; n++)
            buf_print(&yaml, ", n%zu", n);
        buf_add(&yaml, SLICE("]\0"));
        catalog_make(&catalog, yaml.ptr, false);
        if (counts[i] > LIMIT_EMIT_NAMES) {
            assert_int_equal(catalog.faults.count, 1);
            assert_non_null(strstr(catalog.faults.items[0].message, "at most 64 names"));
        } else {
            assert_non_null(catalog.rules);
        }
        catalog_drop(&catalog);
        buf_finish(&yaml);
    }
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct catalog catalog;

    (void)state;
    catalog_make(&catalog,
                 "unknown_events: maybe\n"
                 "envelope: \"{paylod}\"\n"
                 "events:\n"
                 "  error_without_end: {to: \"{\", volatile: 7, emit_as: [connect]}\n"
                 "  b: {contract: nowhere.json}\n",
                 true);
    assert_null(catalog.rules);
    assert_int_equal(catalog.faults.count, 6);
    catalog_drop(&catalog);
}

static void a_contract_without_its_folder_is_a_mistake(void **state)
{
    struct catalog catalog;

    (void)state;
    catalog_make(&catalog, "events: {a: {contract: a.schema.json}}", false);
    assert_null(catalog.rules);
    assert_non_null(strstr(catalog.faults.items[0].message, "there is no contract"));
    catalog_drop(&catalog);
}

static void the_catalog_knows_rows_aliases_and_files(void **state)
{
    static const struct {
        const char *event;
        const char *name; /* NULL: unknown */
        const char *meant;
    } rows[] = {
        {"agent_update",  "agent_update", NULL          },
        {"message:new",   "message:new",  NULL          },
        {"work_stream",   "work_stream",  NULL          },
        {"workstream",    "work_stream",  NULL          },
        {"agent_updat",   NULL,           "agent_update"},
        {"message%3Anew", NULL,           "message:new" },
        {"AGENT_UPDATE",  NULL,           "agent_update"},
        {"",              NULL,           NULL          },
        {"zzz",           NULL,           NULL          },
    };
    struct catalog catalog;

    (void)state;
    catalog_make(&catalog, "events: {work_stream: {aliases: [workstream]}, plain: }",
                 true);
    assert_non_null(catalog.rules);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *meant = NULL;
        const struct event_rule *rule =
            event_rules_find(catalog.rules, slice_of(rows[i].event), &meant);
        assert_int_equal(rule != NULL, rows[i].name != NULL);
        if (rule)
            assert_true(slice_is(event_rule_name(rule), rows[i].name));
        else if (rows[i].meant)
            assert_string_equal(meant, rows[i].meant);
        else
            assert_null(meant);
    }
    catalog_drop(&catalog);
}

static void unknown_events_are_denied_once_there_are_contracts(void **state)
{
    static const struct {
        const char *yaml;
        bool has_contracts, is_allowed;
    } rows[] = {
        {"events: {a: }",                       false, true },
        {"events: {a: }",                       true,  false},
        {"events: {a: }\nunknown_events: deny", false, false},
        {"unknown_events: allow",               true,  true },
        {"",                                    false, true },
    };
    struct contract_report report;
    struct catalog catalog;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        catalog_make(&catalog, rows[i].yaml, rows[i].has_contracts);
        const struct event_rule *rule =
            event_rules_find(catalog.rules, SLICE("nobody.knows"), NULL);
        assert_int_equal(rule != NULL, rows[i].is_allowed);
        if (rule) {
            assert_int_equal(event_rule_name(rule).len, 0);
            assert_int_equal(event_rule_check(rule, SLICE(""), &report), ST_OK);
        }
        catalog_drop(&catalog);
    }
}

static void a_payload_keeps_its_contract_or_is_told_why(void **state)
{
    static const struct {
        const char *event;
        const char *payload;
        const char *expected; /* NULL: it holds */
    } rows[] = {
        {"agent_update", "{\"n\":1}", NULL       },
        {"agent_update", "{}",        "required" },
        {"agent_update", "",          "a payload"},
        {"named",        "{\"n\":1}", NULL       },
        {"named",        "[]",        "type"     },
        {"inlined",      "3",         NULL       },
        {"inlined",      "3.5",       "type"     },
        {"free",         "",          NULL       },
        {"free",         "[{}]",      NULL       },
    };
    struct contract_report report;
    struct catalog catalog;

    (void)state;
    catalog_make(&catalog,
                 "events:\n"
                 "  named: {contract: message%3Anew.schema.json}\n"
                 "  inlined: {contract: {type: integer}}\n"
                 "  free:\n",
                 true);
    assert_non_null(catalog.rules);
    /* A file that a row names is that row's contract, and no event. */
    assert_null(event_rules_find(catalog.rules, SLICE("message:new"), NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct event_rule *rule =
            event_rules_find(catalog.rules, slice_of(rows[i].event), NULL);
        enum status st = event_rule_check(rule, slice_of(rows[i].payload), &report);
        assert_int_equal(st, rows[i].expected ? ST_BAD_PAYLOAD : ST_OK);
        if (rows[i].expected)
            assert_string_equal(report.errors[0].expected, rows[i].expected);
    }
    catalog_drop(&catalog);
}

static void a_row_says_who_may_publish(void **state)
{
    struct catalog catalog;

    (void)state;
    catalog_make(&catalog, "events: {a: {publish: [billing, admin]}, b: }", false);
    const struct event_rule *a = event_rules_find(catalog.rules, SLICE("a"), NULL);
    const struct event_rule *b = event_rules_find(catalog.rules, SLICE("b"), NULL);
    assert_true(event_rule_is_restricted(a));
    assert_false(event_rule_is_restricted(b));
    assert_true(event_rule_names_publisher(a, SLICE("billing")));
    assert_true(event_rule_names_publisher(a, SLICE("admin")));
    assert_false(event_rule_names_publisher(a, SLICE("bill")));
    catalog_drop(&catalog);
}

static void an_event_names_its_file(void **state)
{
    static const char *const rows[][2] = {
        {"agent_update", "agent_update.schema.json" },
        {"message:new",  "message%3Anew.schema.json"},
        {"a/b:c",        "a%2Fb%3Ac.schema.json"    },
    };
    struct buf file = {.max = 1000};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&file);
        event_contract_file(slice_of(rows[i][0]), &file);
        assert_true(slice_is(buf_slice(&file), rows[i][1]));
    }
    buf_finish(&file);
}

static void a_mistake_in_a_file_is_told_where_it_is(void **state)
{
    struct catalog catalog;

    (void)state;
    catalog_make(&catalog, "events: {a: {contract: broken.json}}", true);
    assert_null(catalog.rules);
    assert_int_equal(catalog.faults.count, 1);
    assert_string_equal(catalog.faults.items[0].place.file, "broken.json");
    assert_int_equal(catalog.faults.items[0].place.line, 2);
    assert_int_equal(catalog.faults.items[0].place.column, 2);
    catalog_drop(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_place_and_its_hint),
        cmocka_unit_test(an_event_has_at_most_so_many_names),
        cmocka_unit_test(all_mistakes_are_found_at_once),
        cmocka_unit_test(a_contract_without_its_folder_is_a_mistake),
        cmocka_unit_test(the_catalog_knows_rows_aliases_and_files),
        cmocka_unit_test(unknown_events_are_denied_once_there_are_contracts),
        cmocka_unit_test(a_payload_keeps_its_contract_or_is_told_why),
        cmocka_unit_test(a_row_says_who_may_publish),
        cmocka_unit_test(an_event_names_its_file),
        cmocka_unit_test(a_mistake_in_a_file_is_told_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

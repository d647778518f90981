/* Namespaces: which there are, what works in them, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/namespace_rules.h"
#include "support/yaml_node.h"

#include <stdio.h>
#include <string.h>

/* The tables of one file. */
struct tables {
    struct command_rules *commands;
    struct namespace_rules *namespaces;
    struct faults faults;
};

static struct tables tables_of(const char *yaml)
{
    struct document_node node = yaml_node(yaml);
    struct tables tables = {0};

    tables.commands = command_rules_compile(&node, &tables.faults);
    tables.namespaces = namespace_rules_compile(document_find(&node, "namespaces"),
                                                tables.commands, &tables.faults);
    document_finish(&node);
    return tables;
}

static void finish(struct tables *tables)
{
    namespace_rules_destroy(tables->namespaces);
    command_rules_destroy(tables->commands);
    faults_finish(&tables->faults);
}

static const char three[] =
    "commands: {say: {do: ack}, drop: {do: close}}\n"
    "namespaces:\n"
    "  /ws: {alias: /}\n"
    "  /some: {commands: [say]}\n"
    "  /none: {commands: []}\n"
    "  /other: {alias: /some}\n"
    "  /auth: {refuse: {message: Not for you, data: {code: E_UNAUTH, was: '{code}'}}}\n"
    "  /shut: {refuse: {}}\n";

static void names_lead_to_namespaces(void **state)
{
    static const char *const rows[][2] = {
        {"/",       "/"    },
        {"/ws",     "/"    },
        {"/some",   "/some"},
        {"/other",  "/some"},
        {"/auth",   "/auth"},
        {"/x",      NULL   },
        {"/Some",   NULL   },
        {"/some/",  NULL   },
        {"",        NULL   },
        {"/some?a", NULL   },
    };
    struct tables tables = tables_of(three);

    (void)state;
    assert_non_null(tables.namespaces);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct namespace_rule *rule =
            namespace_rules_find(tables.namespaces, slice_of(rows[i][0]));
        assert_int_equal(rule != NULL, rows[i][1] != NULL);
        if (rule)
            assert_true(slice_is(rule->real->name, rows[i][1]));
    }
    finish(&tables);
}

static void a_list_leaves_only_its_commands(void **state)
{
    static const struct {
        const char *name, *command;
        bool works;
    } rows[] = {
        {"/",     "say",  true },
        {"/",     "drop", true },
        {"/some", "say",  true },
        {"/some", "drop", false},
        {"/none", "say",  false},
        {"/gone", "say",  false},
    };
    struct tables tables = tables_of(three);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (namespace_rules_allow(
                tables.namespaces, slice_of(rows[i].name),
                command_rules_find(tables.commands, slice_of(rows[i].command))) !=
            rows[i].works)
            fail_msg("%s in %s", rows[i].command, rows[i].name);
    finish(&tables);
}

static void a_refusal_has_the_words_of_the_file(void **state)
{
    struct tables tables = tables_of(three);
    const struct template_values values = {.code = SLICE("E_FORBIDDEN")};
    struct buf data = {.max = 1000};
    const struct namespace_refusal *refusal =
        namespace_rules_find(tables.namespaces, SLICE("/auth"))->refusal;

    (void)state;
    assert_true(slice_is(namespace_refusal_message(refusal), "Not for you"));
    namespace_refusal_data(refusal, &values, &data);
    assert_true(
        slice_is(buf_slice(&data), "{\"code\":\"E_UNAUTH\",\"was\":\"E_FORBIDDEN\"}"));
    buf_clear(&data);
    refusal = namespace_rules_find(tables.namespaces, SLICE("/shut"))->refusal;
    assert_true(slice_is(namespace_refusal_message(refusal), "Not authorized"));
    namespace_refusal_data(refusal, &values, &data);
    assert_int_equal(data.len, 0);
    assert_null(namespace_rules_find(tables.namespaces, SLICE("/"))->refusal);
    buf_finish(&data);
    finish(&tables);
}

static void without_a_table_there_is_the_root_alone(void **state)
{
    struct tables tables = tables_of("{}");

    (void)state;
    assert_non_null(namespace_rules_find(tables.namespaces, SLICE("/")));
    assert_null(namespace_rules_find(tables.namespaces, SLICE("/x")));
    finish(&tables);
}

static void clients_come_back_where_one_namespace_lets_them(void **state)
{
    static const struct {
        const char *namespaces;
        bool recover;
    } rows[] = {
        {"{}",                                                          true },
        {"{/: {recovery: off}}",                                        false},
        {"{/: {recovery: off}, /a: {}}",                                true },
        {"{/: {recovery: off}, /a: {alias: /}}",                        false},
        {"{/: {recovery: off}, /a: {refuse: {}}, /b: {recovery: off}}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "{namespaces: %s}", rows[i].namespaces);
        struct tables tables = tables_of(text);
        if (namespace_rules_recover(tables.namespaces) != rows[i].recover)
            fail_msg("%s", rows[i].namespaces);
        finish(&tables);
    }
}

static void each_fault_is_told(void **state)
{
    static const char *const rows[][2] = {
        {"[]",                                  "namespaces is a map: a name to what it is"             },
        {"{ws: {}}",                            "a namespace is / or begins with it, has at most 128 bytes, no "
                     "comma and no question mark"                                   },
        {"{/a: yes}",                           "a namespace is a map: {alias: /}, {commands: []} or {}"},
        {"{/a: {alias: /b}}",                   "there is no namespace \"/b\""                          },
        {"{/a: {alias: [/]}}",                  "alias is the name of a namespace"                      },
        {"{/a: {alias: /b}, /b: {alias: /}}",
         "/b is another name itself: alias needs the namespace behind it"                               },
        {"{/a: {alias: /a}}",
         "/a is another name itself: alias needs the namespace behind it"                               },
        {"{/a: {alias: /b}, /b: {refuse: {}}}", "nobody can connect to /b"                              },
        {"{/a: {alias: /, commands: []}}",
         "beside alias there is nothing else to say of a namespace"                                     },
        {"{/a: {refuse: {}, commands: []}}",
         "beside refuse there is nothing else to say of a namespace"                                    },
        {"{/a: {commands: subscribe}}",
         "commands is a list of names: those that work here; [] is none"                                },
        {"{/a: {commands: [subscibe]}}",        "there is no command \"subscibe\""                      },
        {"{/a: {commands: [{}]}}",              "commands lists names of commands"                      },
        {"{/a: {refuse: no}}",                  "refuse is a map: {message: Not authorized, data: …}" },
        {"{/a: {refuse: {message: []}}}",       "the message of a refusal is a text"                    },
    };
    char yaml[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(yaml, sizeof yaml, "namespaces: %s", rows[i][0]);
        struct tables tables = tables_of(yaml);
        assert_null(tables.namespaces);
        if (tables.faults.count != 1 ||
            strcmp(tables.faults.items[0].message, rows[i][1]) != 0)
            fail_msg("%s: %zu, %s", yaml, tables.faults.count,
                     tables.faults.items[0].message);
        finish(&tables);
    }
}

static void the_nearest_word_is_named(void **state)
{
    struct tables tables =
        tables_of("namespaces: {/chat: {}, /a: {alias: /caht}, "
                  "/b: {commands: [unsubscrib]}, /c: {refuse: {data: '{mesage}'}}}");

    (void)state;
    assert_int_equal(tables.faults.count, 3);
    faults_sort(&tables.faults);
    assert_string_equal(tables.faults.items[0].hint, "did you mean \"/chat\"?");
    assert_string_equal(tables.faults.items[1].hint, "did you mean \"unsubscribe\"?");
    finish(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_namespaces),
        cmocka_unit_test(a_list_leaves_only_its_commands),
        cmocka_unit_test(a_refusal_has_the_words_of_the_file),
        cmocka_unit_test(without_a_table_there_is_the_root_alone),
        cmocka_unit_test(clients_come_back_where_one_namespace_lets_them),
        cmocka_unit_test(each_fault_is_told),
        cmocka_unit_test(the_nearest_word_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What a catalog of events costs one publish in instructions: the contract of a payload
 * of 400 bytes alone, and all that is done with it: rule, contract, target, envelope.
 * Each figure is one dump of callgrind, as in delivery.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <valgrind/callgrind.h>

#include "proto/event_publish.h"
#include "support/contract_folder.h"
#include "support/yaml_node.h"

#include <stdio.h>

enum {
    WARM_UP = 10,
    TIMES = 100
};

static const char catalog_yaml[] =
    "contracts: c\n"
    "envelope: {type: '{event}', data: '{payload}', timestamp: '{now.iso}'}\n"
    "events: {task.updated: {to: 'project:{payload.project_id}'}}\n";

static const struct contract_text texts[] = {
    {"task.updated", "task.updated.schema.json",
     "{\"type\":\"object\",\"required\":[\"project_id\",\"task_id\",\"title\",\"status\","
     "\"updated_by\",\"changes\",\"at\"],\"additionalProperties\":false,\"properties\":{"
     "\"project_id\":{\"type\":[\"string\",\"integer\"]},"
     "\"task_id\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f-]{36}$\"},"
     "\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200},"
     "\"status\":{\"enum\":[\"open\",\"running\",\"done\",\"failed\"]},"
     "\"progress\":{\"type\":\"number\",\"minimum\":0,\"maximum\":100},"
     "\"updated_by\":{\"$ref\":\"#/definitions/person\"},"
     "\"changes\":{\"type\":\"array\",\"maxItems\":50,\"items\":{\"type\":\"object\","
     "\"required\":[\"field\"],\"properties\":{\"field\":{\"type\":\"string\"},"
     "\"from\":{},\"to\":{}}}},\"at\":{\"type\":\"integer\",\"minimum\":0}},"
     "\"definitions\":{\"person\":{\"type\":\"object\",\"required\":[\"id\"],"
     "\"properties\":{\"id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"}}}}}"},
};

#define PAYLOAD                                                                          \
    "{\"project_id\":7,\"task_id\":\"6f1c2b9e-3d4a-4c1f-9b2e-8a7d6c5b4a39\",\"title\":"  \
    "\"Write down what a contract costs, once and for all, so that nobody asks again\"," \
    "\"status\":\"running\",\"progress\":62.5,\"updated_by\":{\"id\":\"u-1\",\"name\":"  \
    "\"Ada Lovelace\"},\"changes\":[{\"field\":\"status\",\"from\":\"open\",\"to\":"     \
    "\"running\"},{\"field\":\"progress\",\"from\":50,\"to\":62.5},{\"field\":"          \
    "\"title\",\"from\":\"Costs of a contract\"}],\"at\":1763736000000}"

_Static_assert(sizeof PAYLOAD - 1 >= 400 && sizeof PAYLOAD - 1 < 450,
               "the payload has a little more than 400 bytes");

static struct event_rules *rules_make(void)
{
    struct document_node root = yaml_node(catalog_yaml);
    struct contract_folder folder;
    struct faults faults = {0};

    contract_folder_open(&folder, texts, 1);
    struct system_files files = contract_folder_files(&folder);
    struct event_rules *rules = event_rules_compile(&root, &files, &faults);
    assert_non_null(rules);
    contract_folder_close(&folder);
    document_finish(&root);
    return rules;
}

static void count_a_contract(const struct event_rules *rules)
{
    static struct contract_report report;
    const struct event_rule *rule = event_rules_at(rules, 0);

    for (int i = 0; i < WARM_UP + TIMES; i++) {
        if (i == WARM_UP)
            CALLGRIND_TOGGLE_COLLECT;
        if (event_rule_check(rule, SLICE(PAYLOAD), &report))
            fail_msg("%s", report.errors[0].detail);
    }
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT("contract");
    printf("contract %d\n", TIMES);
}

static void count_a_catalog(const struct event_rules *rules)
{
    static struct publish_request request = {.target_is_optional = true};
    static struct event_publish publish;
    const struct event_moment moment = {.now_ms = 1763736000000};
    struct publish_fault fault;

    for (int i = 0; i < WARM_UP + TIMES; i++) {
        assert_int_equal(publish_request_decode(
                             SLICE("{\"event\":\"task.updated\",\"data\":" PAYLOAD "}"),
                             &request, &fault),
                         ST_OK);
        if (i >= WARM_UP)
            CALLGRIND_TOGGLE_COLLECT;
        enum status st = event_publish_begin(&publish, rules, &request, &fault);
        if (!st)
            st = event_publish_check(&publish, &request, &moment, &fault);
        if (!st)
            st = event_publish_shape(&publish, &request, &moment, &fault);
        if (i >= WARM_UP)
            CALLGRIND_TOGGLE_COLLECT;
        assert_int_equal(st, ST_OK);
    }
    CALLGRIND_DUMP_STATS_AT("catalog");
    printf("catalog %d\n", TIMES);
    event_publish_finish(&publish);
    publish_request_finish(&request);
}

static void count_instructions(void **state)
{
    struct event_rules *rules = rules_make();

    (void)state;
    count_a_contract(rules);
    count_a_catalog(rules);
    event_rules_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(count_instructions)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

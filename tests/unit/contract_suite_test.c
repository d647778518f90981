/*
 * Contracts against Debian's json-schema-test-suite: the core cases of draft-07, without
 * those about schemas on other machines. The score is printed; each miss is one of a list
 * with its reason, so that a new one fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/contract.h"
#include "proto/json_document.h"
#include "proto/json_gate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE "/usr/share/json-schema-test-suite/tests/draft7"

/* A file, and a group of it whose cases are missed: all of them, on purpose. */
struct miss {
    const char *file;
    const char *group;
    const char *reason;
};

static const struct miss misses[] = {
    {"definitions.json", "valid definition",
     "refers to the metaschema, which is on another machine"                            },
    {"definitions.json", "invalid definition",
     "refers to the metaschema, which is on another machine"                            },
    {"ref.json",         "remote ref, containing refs itself",
     "refers to the metaschema, which is on another machine"                            },
    {"ref.json",         "Recursive references between schemas",
     "uses $id inside a schema to name its parts"                                       },
    {"ref.json",         "escaped pointer ref",
     "keeps schemas under words that are no keywords, which is refused as a misspelling"},
};

struct score {
    unsigned passed, all, unexplained;
};

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static bool is_listed(const char *file, struct slice group)
{
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++)
        if (strcmp(file, misses[i].file) == 0 && slice_is(group, misses[i].group))
            return true;
    return false;
}

/* The contract that a schema's text makes, or NULL. */
static struct contract *contract_of(const char *file, struct slice text)
{
    struct faults faults = {0};
    struct document_node root;
    struct contract *contract = NULL;

    if (json_document_read(file, text, &root, &faults))
        contract = contract_compile(&root, &faults);
    assert_int_equal(contract == NULL, !faults_are_none(&faults));
    document_finish(&root);
    faults_finish(&faults);
    return contract;
}

static void run_group(const char *file, struct slice group, struct score *score)
{
    struct slice schema = json_object_find(group, "schema").text;
    struct slice tests = json_object_find(group, "tests").text;
    struct slice quoted = json_object_find(group, "description").text;
    struct slice name = {quoted.ptr + 1, quoted.len - 2};
    struct contract *contract = contract_of(file, schema);
    struct contract_report report;
    struct json_cursor cursor = {0};
    struct json_value test;

    while (json_array_next(tests, &cursor, &test)) {
        struct slice data = json_object_find(test.text, "data").text;
        bool is_valid = json_object_find(test.text, "valid").type == JSON_GATE_TRUE;
        bool is_right = contract && contract_holds(contract, data, &report) == is_valid;
        score->all++;
        score->passed += is_right;
        if (is_right || is_listed(file, name))
            continue;
        struct slice what = json_object_find(test.text, "description").text;
        printf("missed: %s: %.*s: %.*s\n", file, (int)name.len, name.ptr, (int)what.len,
               what.ptr);
        score->unexplained++;
    }
    contract_destroy(contract);
}

static void run_file(const char *name, struct score *score)
{
    char path[300];
    struct json_cursor cursor = {0};
    struct json_value value, group;

    snprintf(path, sizeof path, SUITE "/%s", name);
    char *text = read_file(path);
    assert_int_equal(json_gate_check(slice_of(text), &json_limits_default, &value, NULL),
                     ST_OK);
    while (json_array_next(value.text, &cursor, &group))
        run_group(name, group.text, score);
    free(text);
}

static void the_core_cases_of_draft_07_hold(void **state)
{
    struct score score = {0};
    struct dirent *entry;
    DIR *folder = opendir(SUITE);

    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        const char *end = strrchr(entry->d_name, '.');
        if (end && strcmp(end, ".json") == 0 &&
            strcmp(entry->d_name, "refRemote.json") != 0)
            run_file(entry->d_name, &score);
    }
    closedir(folder);
    printf("json-schema-test-suite, draft-07 core: %u of %u\n", score.passed, score.all);
    assert_int_equal(score.all, 408);
    assert_true(score.passed >= 396);
    assert_int_equal(score.unexplained, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_core_cases_of_draft_07_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

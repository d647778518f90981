/*
 * What contracts say, for comparison with another implementation: each line of stdin is
 * {"schema":…,"documents":[…]}, and gives one line on stdout: a 1 for each document that
 * holds and a 0 for each that does not, or "refused: " and why the schema is no contract.
 */
#include "proto/contract.h"
#include "proto/json_document.h"
#include "proto/json_gate.h"

#include <stdio.h>
#include <stdlib.h>

static void judge(const struct contract *contract, struct slice documents)
{
    static struct contract_report report;
    struct json_cursor cursor = {0};
    struct json_value item;

    while (json_array_next(documents, &cursor, &item)) {
        report.count = 0;
        putchar(contract_holds(contract, item.text, &report) ? '1' : '0');
    }
    putchar('\n');
}

static void answer(struct slice line)
{
    struct json_value value = {0};
    struct faults faults = {0};
    struct document_node root = {0};
    struct contract *contract = NULL;

    if (json_gate_check(line, &json_limits_default, &value, NULL)) {
        puts("refused: this line is no JSON");
        return;
    }
    struct slice schema = json_object_find(value.text, "schema").text;
    if (json_document_read("schema", schema, &root, &faults))
        contract = contract_compile(&root, &faults);
    if (contract)
        judge(contract, json_object_find(value.text, "documents").text);
    else
        printf("refused: %s\n", faults.count ? faults.items[0].message : "");
    contract_destroy(contract);
    document_finish(&root);
    faults_finish(&faults);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0)
        answer((struct slice){line, (size_t)len});
    free(line);
    return 0;
}

/* A contract and a document: the schema up to the first line's end, the document behind
 * it. Whatever compiles gives an answer, and says why when it is no. */
#include "proto/contract.h"
#include "proto/contract_types.h"
#include "proto/json_document.h"
#include "proto/json_gate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct contract *contract, struct slice document)
{
    struct contract_report report = {.count = 0};
    struct json_value value;

    if (json_gate_check(document, &json_limits_default, &value, NULL))
        return;
    bool holds = contract_holds(contract, value.text, &report);
    if (holds != (report.count == 0) || report.count > CONTRACT_MAX_ERRORS)
        abort();
}

static void show(const struct document_node *schema)
{
    struct buf types = {.max = 1 << 22};

    contract_types_write(schema, SLICE("Name"), &types);
    buf_finish(&types);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice schema, document;
    struct document_node root;
    struct faults faults = {0};
    struct contract *contract = NULL;

    slice_cut((struct slice){(const char *)data, size}, '\n', &schema, &document);
    if (json_document_read("schema", schema, &root, &faults)) {
        contract = contract_compile(&root, &faults);
        if (contract)
            show(&root);
        document_finish(&root);
    }
    if ((contract == NULL) != (faults.count > 0))
        abort();
    if (contract)
        judge(contract, document);
    contract_destroy(contract);
    faults_finish(&faults);
    return 0;
}

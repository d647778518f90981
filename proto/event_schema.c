/* The schemas of a catalog: see the header. */
#include "proto/event_schema.h"

#include "proto/contract_types.h"
#include "proto/limits.h"

#include <string.h>

const struct document_node *event_schema_row(const struct document_node *root,
                                             const struct event_rule *rule)
{
    return document_find(document_find(root, "events"), event_rule_name(rule).ptr);
}

const struct document_node *event_schema_find(const struct document_node *root,
                                              const struct system_files *files,
                                              const struct event_rule *rule)
{
    const struct document_node *contract =
        document_find(event_schema_row(root, rule), "contract");
    const struct document_node *schema = NULL;
    struct buf file = {.max = LIMIT_CONFIG_BYTES};
    struct faults faults = {0};

    if (contract && contract->kind != DOCUMENT_SCALAR)
        return contract;
    if (contract)
        buf_add(&file, contract->text);
    else
        event_contract_file(event_rule_name(rule), &file);
    if (buf_status(&file) ||
        files->read_contract(files->ctx, buf_slice(&file), &schema, &faults))
        schema = NULL;
    buf_finish(&file);
    faults_finish(&faults);
    return schema;
}

/* Two events may make one name: the later one gets a number. */
void event_schema_name(const struct event_rules *rules, size_t at, struct buf *out)
{
    struct buf other = {.max = LIMIT_CONFIG_BYTES};
    size_t from = out->len, same = 1;

    contract_type_name(event_rule_name(event_rules_at(rules, at)), out);
    struct slice name = slice_from(buf_slice(out), from);
    for (size_t i = 0; i < at; i++) {
        buf_clear(&other);
        contract_type_name(event_rule_name(event_rules_at(rules, i)), &other);
        same += slice_equal(buf_slice(&other), name);
    }
    if (same > 1)
        buf_print(out, "_%zu", same);
    buf_finish(&other);
}

const struct document_node *event_schema_shape(const struct document_node *root,
                                               const struct event_rule *rule,
                                               bool *is_args)
{
    const struct document_node *row = event_schema_row(root, rule);
    const struct document_node *args = document_find(row, "args");
    const struct document_node *envelope = document_find(row, "envelope");

    *is_args = args != NULL;
    if (args)
        return args;
    return envelope ? envelope : document_find(root, "envelope");
}

bool event_schema_placeholder(const struct document_node *node, struct slice *inside)
{
    struct slice text = node->text;

    if (node->kind != DOCUMENT_SCALAR || text.len < 3 || text.ptr[0] != '{' ||
        text.ptr[1] == '{' || memchr(text.ptr, '}', text.len) != text.ptr + text.len - 1)
        return false;
    *inside = (struct slice){text.ptr + 1, text.len - 2};
    return true;
}

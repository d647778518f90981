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

size_t event_schema_names(const struct event_rule *rule)
{
    size_t names = event_rule_emit_count(rule);

    return names > 0 ? names : 1;
}

struct slice event_schema_name_at(const struct event_rule *rule, size_t i)
{
    return event_rule_emit_count(rule) > 0 ? event_rule_emit_name(rule, i).text
                                           : event_rule_name(rule);
}

bool event_schema_emits(const struct event_rule *rule, struct slice name)
{
    for (size_t i = 0; i < event_schema_names(rule); i++)
        if (slice_equal(event_schema_name_at(rule, i), name))
            return true;
    return false;
}

size_t event_schema_first(const struct event_rules *rules, struct slice name,
                          bool *is_shared)
{
    size_t first = event_rules_count(rules), events = 0;

    for (size_t i = first; i-- > 0;) {
        if (!event_schema_emits(event_rules_at(rules, i), name))
            continue;
        first = i;
        events++;
    }
    *is_shared = events > 1;
    return first;
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

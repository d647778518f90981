/*
 * Compiling of contracts: see contract.h. Schemas are numbered as they are met and
 * compiled one after the other, so that no schema, however nested or recursive, makes
 * this recurse.
 */
#include "proto/contract_keywords.h"

#include <stdlib.h>

void contract_complain(struct contract_builder *builder, const struct document_node *node,
                       const char *message)
{
    faults_add(builder->faults, node->place, NULL, "%s", message);
    builder->is_broken = true;
}

void *contract_grown(struct contract_builder *builder, void *items, size_t count,
                     size_t size)
{
    void *more = realloc(items, (count + 1) * size);

    if (!more)
        contract_complain(builder, builder->root, "out of memory");
    return more;
}

/* --- numbering */

static const struct schema empty_schema = {
    .max_length = UINT64_MAX,
    .max_items = UINT64_MAX,
    .max_properties = UINT64_MAX,
    .additional_properties = NO_SCHEMA,
    .property_names = NO_SCHEMA,
    .items = NO_SCHEMA,
    .additional_items = NO_SCHEMA,
    .contains = NO_SCHEMA,
    .not_ = NO_SCHEMA,
    .if_ = NO_SCHEMA,
    .then_ = NO_SCHEMA,
    .else_ = NO_SCHEMA,
    .ref = NO_SCHEMA,
};

int contract_number_of(struct contract_builder *builder, const struct document_node *node)
{
    struct contract *contract = builder->contract;

    for (size_t i = 0; i < contract->count; i++)
        if (contract->schemas[i].source == node)
            return (int)i;
    if (contract->count == CONTRACT_MAX_SCHEMAS) {
        contract_complain(builder, node, "this contract has too many schemas");
        return NO_SCHEMA;
    }
    struct schema *schemas =
        contract_grown(builder, contract->schemas, contract->count, sizeof *schemas);
    if (!schemas)
        return NO_SCHEMA;
    contract->schemas = schemas;
    schemas[contract->count] = empty_schema;
    schemas[contract->count].source = node;
    return (int)contract->count++;
}

struct schema *contract_schema_at(struct contract_builder *builder, size_t at)
{
    return &builder->contract->schemas[at];
}

void contract_add_schema(struct contract_builder *builder, size_t at, size_t offset,
                         const struct document_node *node)
{
    int number = contract_number_of(builder, node);
    struct schema_list *list =
        (struct schema_list *)((char *)contract_schema_at(builder, at) + offset);
    int *items = contract_grown(builder, list->items, list->count, sizeof *items);

    if (!items)
        return;
    list->items = items;
    items[list->count++] = number;
}

/* One schema; those inside it get numbers, and their turn. */
static void compile(struct contract_builder *builder, size_t at)
{
    const struct document_node *source = contract_schema_at(builder, at)->source;
    const struct document_node *ref = document_find(source, "$ref");

    if (source->kind == DOCUMENT_SCALAR && document_is_json_word(source) &&
        (slice_is(source->text, "true") || slice_is(source->text, "false"))) {
        contract_schema_at(builder, at)->is_never = slice_is(source->text, "false");
        return;
    }
    if (source->kind != DOCUMENT_MAP) {
        contract_complain(builder, source, "a schema is a map, true or false");
        return;
    }
    for (size_t i = 0; i < source->count; i++) {
        const struct document_entry *entry = &source->entries[i];
        /* What stands beside a $ref is not looked at (draft-07, 8.3), but for what can be
         * pointed to. */
        if (!ref || &entry->value == ref || slice_is(entry->key, "definitions"))
            contract_read_keyword(builder, at, entry);
    }
}

/* A reference that leads to itself without a step into the value never ends. */
static void check_circles(struct contract_builder *builder)
{
    struct contract *contract = builder->contract;

    for (size_t i = 0; i < contract->count; i++) {
        int at = (int)i;
        size_t steps = 0;
        while (at != NO_SCHEMA && contract->schemas[at].ref != NO_SCHEMA &&
               steps++ <= contract->count)
            at = contract->schemas[at].ref;
        if (steps > contract->count) {
            contract_complain(builder, contract->schemas[i].source,
                              "this refers to itself");
            return;
        }
    }
}

struct contract *contract_compile(const struct document_node *schema,
                                  struct faults *faults)
{
    struct contract_builder builder = {
        .contract = calloc(1, sizeof(struct contract)),
        .root = schema,
        .faults = faults,
    };

    if (!builder.contract) {
        contract_complain(&builder, schema, "out of memory");
        return NULL;
    }
    contract_number_of(&builder, schema);
    for (size_t i = 0; i < builder.contract->count; i++)
        compile(&builder, i);
    if (!builder.is_broken)
        check_circles(&builder);
    for (size_t i = 0; i < builder.contract->count; i++)
        builder.contract->schemas[i].source = NULL;
    if (!builder.is_broken)
        return builder.contract;
    contract_destroy(builder.contract);
    return NULL;
}

static void finish_properties(struct schema *schema)
{
    for (size_t i = 0; i < schema->property_count; i++)
        free(schema->properties[i].name);
    free(schema->properties);
    for (size_t i = 0; i < schema->pattern_count; i++)
        contract_pattern_destroy(schema->pattern_properties[i].pattern);
    free(schema->pattern_properties);
    for (size_t i = 0; i < schema->dependency_count; i++) {
        struct schema_dependency *row = &schema->dependencies[i];
        for (size_t k = 0; k < row->needed_count; k++)
            free(row->needed[k]);
        free(row->needed);
        free(row->name);
    }
    free(schema->dependencies);
}

void contract_destroy(struct contract *contract)
{
    if (!contract)
        return;
    for (size_t i = 0; i < contract->count; i++) {
        struct schema *schema = &contract->schemas[i];
        for (size_t k = 0; k < schema->value_count; k++)
            free(schema->values[k]);
        free(schema->values);
        contract_pattern_destroy(schema->pattern);
        finish_properties(schema);
        free(schema->tuple.items);
        free(schema->all_of.items);
        free(schema->any_of.items);
        free(schema->one_of.items);
    }
    free(contract->schemas);
    free(contract);
}

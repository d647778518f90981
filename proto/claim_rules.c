/* What a token must claim: see the header. */
#include "proto/claim_rules.h"

#include "proto/json_document.h"
#include "proto/json_equal.h"
#include "proto/limits.h"

#include <stdlib.h>

/* `values` is a JSON array of what is allowed; NULL: anything. */
struct claim_rule {
    char *name;
    char *values;
};

struct claim_rules {
    struct claim_rule *rows;
    size_t count;
};

static bool is_anything(const struct document_node *value)
{
    return value->kind == DOCUMENT_SCALAR && slice_is(value->text, "*");
}

static bool is_list_of_scalars(const struct document_node *value)
{
    if (value->kind != DOCUMENT_LIST || value->count == 0)
        return false;
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i].kind != DOCUMENT_SCALAR)
            return false;
    return true;
}

/* Gives the JSON array of the allowed values, or NULL when out of memory. */
static char *values_of(const struct document_node *value)
{
    struct buf json = {.max = LIMIT_CONFIG_BYTES};
    bool is_one = value->kind == DOCUMENT_SCALAR;

    if (is_one)
        buf_add_byte(&json, '[');
    json_document_write(value, &json);
    if (is_one)
        buf_add_byte(&json, ']');
    buf_add_byte(&json, '\0');
    if (!buf_status(&json))
        return buf_release(&json);
    buf_finish(&json);
    return NULL;
}

static bool compile_row(struct claim_rule *row, const struct document_entry *entry,
                        struct faults *faults)
{
    const struct document_node *value = &entry->value;

    if (value->kind != DOCUMENT_SCALAR && !is_list_of_scalars(value)) {
        faults_add(faults, value->place, NULL,
                   "require asks for one value, a list of them, or \"*\"");
        return false;
    }
    row->name = slice_dup(entry->key);
    row->values = is_anything(value) ? NULL : values_of(value);
    if (row->name && (row->values || is_anything(value)))
        return true;
    faults_add(faults, value->place, NULL, "out of memory");
    return false;
}

struct claim_rules *claim_rules_compile(const struct document_node *node,
                                        struct faults *faults)
{
    struct claim_rules *rules = calloc(1, sizeof *rules);
    struct place nowhere = {0};
    bool is_whole = rules != NULL;

    if (!rules)
        faults_add(faults, node ? node->place : nowhere, NULL, "out of memory");
    if (!rules || !node)
        return rules;
    if (node->kind != DOCUMENT_MAP) {
        faults_add(faults, node->place, NULL, "require is a map of claims");
        claim_rules_destroy(rules);
        return NULL;
    }
    rules->rows = calloc(node->count ? node->count : 1, sizeof *rules->rows);
    for (size_t i = 0; rules->rows && i < node->count; i++) {
        rules->count++;
        if (!compile_row(&rules->rows[i], &node->entries[i], faults))
            is_whole = false;
    }
    if (rules->rows && is_whole)
        return rules;
    if (!rules->rows)
        faults_add(faults, node->place, NULL, "out of memory");
    claim_rules_destroy(rules);
    return NULL;
}

void claim_rules_destroy(struct claim_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->rows[i].name);
        free(rules->rows[i].values);
    }
    free(rules->rows);
    free(rules);
}

/* Is the claim one of the allowed values? */
static bool is_one_of(struct slice claim, struct slice values)
{
    struct steps steps = {UINT64_MAX}; /* a token is short */
    struct json_cursor cursor = {0};
    struct json_value value;

    while (json_array_next(values, &cursor, &value))
        if (json_equal_values(claim, value.text, &steps))
            return true;
    return false;
}

/* A claim that is a list holds when one of its items does. */
static bool row_holds(const struct claim_rule *row, struct slice claims)
{
    struct json_value claim = json_object_find(claims, row->name);
    struct json_cursor cursor = {0};
    struct json_value item;

    if (claim.type == JSON_GATE_NONE || claim.type == JSON_GATE_NULL)
        return false;
    if (!row->values)
        return true;
    if (claim.type != JSON_GATE_ARRAY)
        return is_one_of(claim.text, slice_of(row->values));
    while (json_array_next(claim.text, &cursor, &item))
        if (is_one_of(item.text, slice_of(row->values)))
            return true;
    return false;
}

bool claim_rules_hold(const struct claim_rules *rules, struct slice claims,
                      const char **failed)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (!row_holds(&rules->rows[i], claims)) {
            *failed = rules->rows[i].name;
            return false;
        }
    }
    return true;
}

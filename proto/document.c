/* A configuration text as a tree: see the header. */
#include "proto/document.h"

#include "proto/json_gate.h"

#include <stdlib.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as a document, at most LIMIT_CONFIG_DEPTH. */

const struct document_node *document_find(const struct document_node *map,
                                          const char *key)
{
    if (!map || map->kind != DOCUMENT_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (slice_is(map->entries[i].key, key))
            return &map->entries[i].value;
    return NULL;
}

bool document_is_json_word(const struct document_node *scalar)
{
    struct json_value value;

    if (scalar->kind != DOCUMENT_SCALAR || scalar->is_quoted)
        return false;
    return json_gate_check(scalar->text, &json_limits_default, &value, NULL) == ST_OK &&
           value.type != JSON_GATE_STRING && value.type != JSON_GATE_OBJECT &&
           value.type != JSON_GATE_ARRAY;
}

void document_finish(struct document_node *node)
{
    for (size_t i = 0; node->kind == DOCUMENT_LIST && i < node->count; i++)
        document_finish(&node->items[i]);
    for (size_t i = 0; node->kind == DOCUMENT_MAP && i < node->count; i++) {
        document_finish(&node->entries[i].value);
        free((char *)node->entries[i].key.ptr);
    }
    if (node->kind == DOCUMENT_SCALAR)
        free((char *)node->text.ptr);
    free(node->items);
    free(node->entries);
    *node = (struct document_node){0};
}

/* NOLINTEND(misc-no-recursion) */

/* The keywords of a contract, a row each: see contract_keywords.h. */
#include "proto/contract_keywords.h"

#include "proto/http_query.h"
#include "proto/json_document.h"
#include "proto/json_equal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How the value of a keyword is read, and where it goes in struct schema. */
enum keyword_kind {
    KEYWORD_NOTE, /* says nothing about validity */
    KEYWORD_SCHEMA,
    KEYWORD_SCHEMAS,
    KEYWORD_SIZE,
    KEYWORD_NUMBER,
    KEYWORD_SPECIAL
};

struct keyword {
    const char *name;
    enum keyword_kind kind;
    size_t offset;
    unsigned bound;
    void (*read)(struct contract_builder *builder, size_t at,
                 const struct document_node *value);
};

static char *copy_text(struct contract_builder *builder, struct slice text)
{
    char *copy = slice_dup(text);

    if (!copy)
        contract_complain(builder, builder->root, "out of memory");
    return copy;
}

/* --- what values may be */

static bool is_text(const struct document_node *node)
{
    return node->kind == DOCUMENT_SCALAR && !document_is_json_word(node);
}

static bool is_number(const struct document_node *node)
{
    return node->kind == DOCUMENT_SCALAR && document_is_json_word(node) &&
           !strchr("tfn", node->text.ptr[0]);
}

static bool read_switch(struct contract_builder *builder,
                        const struct document_node *node)
{
    bool is_true = document_is_json_word(node) && slice_is(node->text, "true");

    if (!is_true && !(document_is_json_word(node) && slice_is(node->text, "false")))
        contract_complain(builder, node, "this must be true or false");
    return is_true;
}

static double read_number(struct contract_builder *builder,
                          const struct document_node *node)
{
    if (!is_number(node)) {
        contract_complain(builder, node, "this must be a number");
        return 0;
    }
    return json_equal_number(node->text);
}

static uint64_t read_size(struct contract_builder *builder,
                          const struct document_node *node)
{
    double number = is_number(node) ? json_equal_number(node->text) : -1;

    if (number < 0 || number != floor(number) || number > 9007199254740991.0) {
        contract_complain(builder, node, "this must be a whole number, 0 or more");
        return 0;
    }
    return (uint64_t)number;
}

static bool is_list(struct contract_builder *builder, const struct document_node *node,
                    const char *message)
{
    if (node->kind == DOCUMENT_LIST)
        return true;
    contract_complain(builder, node, message);
    return false;
}

static bool is_map(struct contract_builder *builder, const struct document_node *node,
                   const char *message)
{
    if (node->kind == DOCUMENT_MAP)
        return true;
    contract_complain(builder, node, message);
    return false;
}

/* --- keywords of their own kind */

static const char *const type_names[] = {"null",   "boolean", "object", "array",
                                         "number", "string",  "integer"};

static void add_type(struct contract_builder *builder, size_t at,
                     const struct document_node *node)
{
    size_t count = sizeof type_names / sizeof *type_names;

    for (size_t i = 0; node->kind == DOCUMENT_SCALAR && i < count; i++) {
        if (slice_is(node->text, type_names[i])) {
            contract_schema_at(builder, at)->types |= 1u << i;
            return;
        }
    }
    faults_add_word(builder->faults, node->place, "there is no type", node->text,
                    type_names, count);
    builder->is_broken = true;
}

static void read_type(struct contract_builder *builder, size_t at,
                      const struct document_node *node)
{
    if (node->kind == DOCUMENT_LIST && node->count == 0)
        contract_complain(builder, node, "name one type at least");
    if (node->kind != DOCUMENT_LIST)
        add_type(builder, at, node);
    for (size_t i = 0; node->kind == DOCUMENT_LIST && i < node->count; i++)
        add_type(builder, at, &node->items[i]);
}

static void add_value(struct contract_builder *builder, size_t at,
                      const struct document_node *node)
{
    struct schema *schema = contract_schema_at(builder, at);
    struct buf json = {.max = LIMIT_CONFIG_BYTES};
    char **values =
        contract_grown(builder, schema->values, schema->value_count, sizeof *values);

    if (!values)
        return;
    schema->values = values;
    json_document_write(node, &json);
    buf_add_byte(&json, '\0');
    if (buf_status(&json)) {
        buf_finish(&json);
        contract_complain(builder, node, "out of memory");
        return;
    }
    values[schema->value_count++] = buf_release(&json);
}

static void read_enum(struct contract_builder *builder, size_t at,
                      const struct document_node *node)
{
    if (contract_schema_at(builder, at)->value_count > 0)
        contract_complain(builder, node, "write either const or enum");
    if (!is_list(builder, node, "enum is a list of values"))
        return;
    for (size_t i = 0; i < node->count; i++)
        add_value(builder, at, &node->items[i]);
    if (node->count == 0)
        contract_complain(builder, node, "name one value at least");
}

static void read_const(struct contract_builder *builder, size_t at,
                       const struct document_node *node)
{
    struct schema *schema = contract_schema_at(builder, at);

    if (schema->value_count > 0) {
        contract_complain(builder, node, "write either const or enum");
        return;
    }
    schema->is_const = true;
    add_value(builder, at, node);
}

static struct contract_pattern *compile_pattern(struct contract_builder *builder,
                                                struct place place, struct slice text)
{
    char reason[120];
    struct contract_pattern *pattern = contract_pattern_create(text, reason);

    if (!pattern) {
        faults_add(builder->faults, place, NULL, "this is no pattern: %s", reason);
        builder->is_broken = true;
    }
    return pattern;
}

static void read_pattern(struct contract_builder *builder, size_t at,
                         const struct document_node *node)
{
    if (node->kind != DOCUMENT_SCALAR) {
        contract_complain(builder, node, "a pattern is a text");
        return;
    }
    contract_schema_at(builder, at)->pattern =
        compile_pattern(builder, node->place, node->text);
}

static struct schema_property *property(struct contract_builder *builder, size_t at,
                                        struct slice name,
                                        const struct document_node *node)
{
    struct schema *schema = contract_schema_at(builder, at);

    for (size_t i = 0; i < schema->property_count; i++) {
        struct schema_property *known = &schema->properties[i];
        if (slice_equal((struct slice){known->name, known->name_len}, name))
            return known;
    }
    if (schema->property_count == CONTRACT_MAX_PROPERTIES) {
        contract_complain(builder, node, "this schema names too many properties");
        return NULL;
    }
    struct schema_property *properties = contract_grown(
        builder, schema->properties, schema->property_count, sizeof *properties);
    if (!properties)
        return NULL;
    schema->properties = properties;
    struct schema_property *made = &properties[schema->property_count];
    *made =
        (struct schema_property){copy_text(builder, name), name.len, NO_SCHEMA, false};
    if (!made->name)
        return NULL;
    schema->property_count++;
    return made;
}

static void read_properties(struct contract_builder *builder, size_t at,
                            const struct document_node *node)
{
    if (!is_map(builder, node, "properties is a map of schemas"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct document_entry *entry = &node->entries[i];
        int number = contract_number_of(builder, &entry->value);
        struct schema_property *row = property(builder, at, entry->key, &entry->value);
        if (row)
            row->schema = number;
    }
}

static void read_required(struct contract_builder *builder, size_t at,
                          const struct document_node *node)
{
    if (!is_list(builder, node, "required is a list of names"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct document_node *item = &node->items[i];
        if (item->kind != DOCUMENT_SCALAR) {
            contract_complain(builder, item, "required is a list of names");
            continue;
        }
        struct schema_property *row = property(builder, at, item->text, item);
        if (row)
            row->is_required = true;
    }
}

static void read_pattern_properties(struct contract_builder *builder, size_t at,
                                    const struct document_node *node)
{
    if (!is_map(builder, node, "patternProperties is a map of schemas"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct document_entry *entry = &node->entries[i];
        int number = contract_number_of(builder, &entry->value);
        struct schema *schema = contract_schema_at(builder, at);
        struct schema_pattern_property *rows = contract_grown(
            builder, schema->pattern_properties, schema->pattern_count, sizeof *rows);
        if (!rows)
            return;
        schema->pattern_properties = rows;
        rows[schema->pattern_count++] = (struct schema_pattern_property){
            compile_pattern(builder, entry->place, entry->key), number};
    }
}

static void read_needed(struct contract_builder *builder, struct schema_dependency *row,
                        const struct document_node *list)
{
    for (size_t i = 0; i < list->count; i++) {
        char **needed =
            contract_grown(builder, row->needed, row->needed_count, sizeof *needed);
        if (!needed)
            return;
        row->needed = needed;
        needed[row->needed_count] = copy_text(builder, list->items[i].text);
        if (needed[row->needed_count])
            row->needed_count++;
    }
}

static void read_dependencies(struct contract_builder *builder, size_t at,
                              const struct document_node *node)
{
    if (!is_map(builder, node, "dependencies is a map of schemas or lists of names"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct document_entry *entry = &node->entries[i];
        bool is_names = entry->value.kind == DOCUMENT_LIST;
        int number = is_names ? NO_SCHEMA : contract_number_of(builder, &entry->value);
        struct schema *schema = contract_schema_at(builder, at);
        struct schema_dependency *rows = contract_grown(
            builder, schema->dependencies, schema->dependency_count, sizeof *rows);
        if (!rows)
            return;
        schema->dependencies = rows;
        struct schema_dependency *row = &rows[schema->dependency_count++];
        *row = (struct schema_dependency){.name = copy_text(builder, entry->key),
                                          .schema = number};
        if (is_names)
            read_needed(builder, row, &entry->value);
    }
}

static void read_items(struct contract_builder *builder, size_t at,
                       const struct document_node *node)
{
    if (node->kind != DOCUMENT_LIST) {
        int number = contract_number_of(builder, node);
        contract_schema_at(builder, at)->items = number;
        return;
    }
    contract_schema_at(builder, at)->is_tuple = true;
    for (size_t i = 0; i < node->count; i++)
        contract_add_schema(builder, at, offsetof(struct schema, tuple), &node->items[i]);
}

static void read_unique(struct contract_builder *builder, size_t at,
                        const struct document_node *node)
{
    contract_schema_at(builder, at)->is_unique = read_switch(builder, node);
}

/* Compiled even when nothing refers to them: their faults are faults. */
static void read_definitions(struct contract_builder *builder, size_t at,
                             const struct document_node *node)
{
    (void)at;
    if (!is_map(builder, node, "definitions is a map of schemas"))
        return;
    for (size_t i = 0; i < node->count; i++)
        contract_number_of(builder, &node->entries[i].value);
}

static void read_dialect(struct contract_builder *builder, size_t at,
                         const struct document_node *node)
{
    static const char draft7[] = "http://json-schema.org/draft-07/schema";

    (void)at;
    if (!is_text(node) || !slice_starts_with(node->text, draft7))
        contract_complain(builder, node, "only draft-07 is read here");
}

static void read_id(struct contract_builder *builder, size_t at,
                    const struct document_node *node)
{
    if (at != 0)
        contract_complain(builder, node, "$id is read at the top only");
}

/* --- references */

static const struct document_node *child(const struct document_node *node,
                                         struct slice name)
{
    uint64_t index;

    if (node->kind == DOCUMENT_LIST)
        return slice_to_u64(name, &index) && index < node->count ? &node->items[index]
                                                                 : NULL;
    for (size_t i = 0; node->kind == DOCUMENT_MAP && i < node->count; i++)
        if (slice_equal(node->entries[i].key, name))
            return &node->entries[i].value;
    return NULL;
}

/* ~1 is a slash, ~0 a tilde (RFC 6901); in place. */
static struct slice unescape(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        bool is_escape =
            text[i] == '~' && i + 1 < len && (text[i + 1] == '0' || text[i + 1] == '1');
        text[out++] = is_escape ? (text[++i] == '1' ? '/' : '~') : text[i];
    }
    return (struct slice){text, out};
}

/* What "#/definitions/x" points to; NULL: nothing of this document. */
static const struct document_node *resolve(const struct document_node *root,
                                           struct slice pointer)
{
    char name[256];
    size_t len;

    while (root && pointer.len > 0) {
        struct slice part, rest;
        if (pointer.ptr[0] != '/')
            return NULL;
        slice_cut(slice_from(pointer, 1), '/', &part, &rest);
        pointer = slice_from(pointer, 1 + part.len);
        if (part.len >= sizeof name || !http_percent_decode(part, false, name, &len))
            return NULL;
        root = child(root, unescape(name, len));
    }
    return root;
}

static void read_ref(struct contract_builder *builder, size_t at,
                     const struct document_node *node)
{
    if (!is_text(node) || node->text.len == 0 || node->text.ptr[0] != '#') {
        contract_complain(builder, node,
                          "only references within the file are followed: #/…");
        return;
    }
    const struct document_node *target =
        resolve(builder->root, slice_from(node->text, 1));
    if (!target) {
        contract_complain(builder, node, "nothing stands where this points to");
        return;
    }
    int number = contract_number_of(builder, target);
    contract_schema_at(builder, at)->ref = number;
}

/* --- the table */

#define AT(field) offsetof(struct schema, field)
/* clang-format off: one row each */
static const struct keyword keywords[] = {
    {"type",                 KEYWORD_SPECIAL, 0,                         0,              read_type              },
    {"const",                KEYWORD_SPECIAL, 0,                         0,              read_const             },
    {"enum",                 KEYWORD_SPECIAL, 0,                         0,              read_enum              },
    {"minimum",              KEYWORD_NUMBER,  AT(minimum),               BOUND_MINIMUM,  NULL                   },
    {"maximum",              KEYWORD_NUMBER,  AT(maximum),               BOUND_MAXIMUM,  NULL                   },
    {"exclusiveMinimum",     KEYWORD_NUMBER,  AT(above),                 BOUND_ABOVE,    NULL                   },
    {"exclusiveMaximum",     KEYWORD_NUMBER,  AT(below),                 BOUND_BELOW,    NULL                   },
    {"multipleOf",           KEYWORD_NUMBER,  AT(multiple),              BOUND_MULTIPLE, NULL                   },
    {"minLength",            KEYWORD_SIZE,    AT(min_length),            0,              NULL                   },
    {"maxLength",            KEYWORD_SIZE,    AT(max_length),            0,              NULL                   },
    {"minItems",             KEYWORD_SIZE,    AT(min_items),             0,              NULL                   },
    {"maxItems",             KEYWORD_SIZE,    AT(max_items),             0,              NULL                   },
    {"minProperties",        KEYWORD_SIZE,    AT(min_properties),        0,              NULL                   },
    {"maxProperties",        KEYWORD_SIZE,    AT(max_properties),        0,              NULL                   },
    {"pattern",              KEYWORD_SPECIAL, 0,                         0,              read_pattern           },
    {"properties",           KEYWORD_SPECIAL, 0,                         0,              read_properties        },
    {"required",             KEYWORD_SPECIAL, 0,                         0,              read_required          },
    {"patternProperties",    KEYWORD_SPECIAL, 0,                         0,              read_pattern_properties},
    {"additionalProperties", KEYWORD_SCHEMA,  AT(additional_properties), 0,              NULL                   },
    {"propertyNames",        KEYWORD_SCHEMA,  AT(property_names),        0,              NULL                   },
    {"dependencies",         KEYWORD_SPECIAL, 0,                         0,              read_dependencies      },
    {"items",                KEYWORD_SPECIAL, 0,                         0,              read_items             },
    {"additionalItems",      KEYWORD_SCHEMA,  AT(additional_items),      0,              NULL                   },
    {"contains",             KEYWORD_SCHEMA,  AT(contains),              0,              NULL                   },
    {"uniqueItems",          KEYWORD_SPECIAL, 0,                         0,              read_unique            },
    {"allOf",                KEYWORD_SCHEMAS, AT(all_of),                0,              NULL                   },
    {"anyOf",                KEYWORD_SCHEMAS, AT(any_of),                0,              NULL                   },
    {"oneOf",                KEYWORD_SCHEMAS, AT(one_of),                0,              NULL                   },
    {"not",                  KEYWORD_SCHEMA,  AT(not_),                  0,              NULL                   },
    {"if",                   KEYWORD_SCHEMA,  AT(if_),                   0,              NULL                   },
    {"then",                 KEYWORD_SCHEMA,  AT(then_),                 0,              NULL                   },
    {"else",                 KEYWORD_SCHEMA,  AT(else_),                 0,              NULL                   },
    {"definitions",          KEYWORD_SPECIAL, 0,                         0,              read_definitions       },
    {"$schema",              KEYWORD_SPECIAL, 0,                         0,              read_dialect           },
    {"$id",                  KEYWORD_SPECIAL, 0,                         0,              read_id                },
    {"$ref",                 KEYWORD_SPECIAL, 0,                         0,              read_ref               },
    {"$comment",             KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"title",                KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"description",          KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"default",              KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"examples",             KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"readOnly",             KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"writeOnly",            KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"format",               KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"contentMediaType",     KEYWORD_NOTE,    0,                         0,              NULL                   },
    {"contentEncoding",      KEYWORD_NOTE,    0,                         0,              NULL                   },
};
/* clang-format on */
enum {
    KEYWORD_COUNT = sizeof keywords / sizeof *keywords
};

static void read_schemas(struct contract_builder *builder, size_t at, size_t offset,
                         const struct document_node *node)
{
    if (!is_list(builder, node, "this is a list of schemas"))
        return;
    if (node->count == 0)
        contract_complain(builder, node, "name one schema at least");
    for (size_t i = 0; i < node->count; i++)
        contract_add_schema(builder, at, offset, &node->items[i]);
}

static void read_value(struct contract_builder *builder, size_t at,
                       const struct keyword *row, const struct document_node *value)
{
    switch (row->kind) {
    case KEYWORD_NOTE: break;
    case KEYWORD_SPECIAL: row->read(builder, at, value); break;
    case KEYWORD_SCHEMAS: read_schemas(builder, at, row->offset, value); break;
    case KEYWORD_SCHEMA: {
        int number = contract_number_of(builder, value);
        *(int *)((char *)contract_schema_at(builder, at) + row->offset) = number;
        break;
    }
    case KEYWORD_SIZE: {
        uint64_t size = read_size(builder, value);
        *(uint64_t *)((char *)contract_schema_at(builder, at) + row->offset) = size;
        break;
    }
    case KEYWORD_NUMBER: {
        double number = read_number(builder, value);
        void *field = (char *)contract_schema_at(builder, at) + row->offset;
        *(double *)field = number;
        contract_schema_at(builder, at)->bounds |= row->bound;
        if (row->bound == BOUND_MULTIPLE && number <= 0)
            contract_complain(builder, value, "this must be more than 0");
    }
    }
}

void contract_read_keyword(struct contract_builder *builder, size_t at,
                           const struct document_entry *entry)
{
    const char *words[KEYWORD_COUNT];

    for (size_t i = 0; i < KEYWORD_COUNT; i++) {
        words[i] = keywords[i].name;
        if (slice_is(entry->key, keywords[i].name)) {
            read_value(builder, at, &keywords[i], &entry->value);
            return;
        }
    }
    if (slice_starts_with(entry->key, "x-"))
        return;
    faults_add_word(builder->faults, entry->place, "unknown keyword", entry->key, words,
                    KEYWORD_COUNT);
    builder->is_broken = true;
}

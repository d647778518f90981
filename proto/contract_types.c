/* Types of contracts: see the header. A schema is as deep as its document, which bounds
 * how far these functions call each other; references are names, and not followed. */
#include "proto/contract_types.h"

#include "proto/json_document.h"
#include "proto/limits.h"

#include <ctype.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as the gate lets JSON be. */

struct writer {
    const struct document_node *root;
    struct slice name; /* of the root */
    struct buf *out;
    unsigned indent;
};

static void write_schema(struct writer *writer, const struct document_node *schema);

static void add(struct writer *writer, const char *text)
{
    buf_add_text(writer->out, text);
}

static void new_line(struct writer *writer)
{
    buf_add_byte(writer->out, '\n');
    for (unsigned i = 0; i < writer->indent; i++)
        add(writer, "  ");
}

/* --- names */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

void contract_type_name(struct slice event, struct buf *out)
{
    bool is_start = true;
    size_t from = out->len;

    if (event.len > 0 && isdigit((unsigned char)event.ptr[0]))
        buf_add_byte(out, '_');
    for (size_t i = 0; i < event.len; i++) {
        char c = event.ptr[i];
        bool is_letter = is_word(c) && c != '_';
        if (is_letter)
            buf_add_byte(out, is_start ? (char)toupper((unsigned char)c) : c);
        is_start = !is_letter;
    }
    if (out->len == from)
        buf_add_text(out, "Event");
}

/* One spelling for each definition: what is no letter is written as its code. */
static void write_definition_name(struct writer *writer, struct slice definition)
{
    buf_add(writer->out, writer->name);
    buf_add_byte(writer->out, '_');
    for (size_t i = 0; i < definition.len; i++) {
        if (is_word(definition.ptr[i]))
            buf_add_byte(writer->out, definition.ptr[i]);
        else
            buf_print(writer->out, "$%02x", (unsigned char)definition.ptr[i]);
    }
}

static void write_reference(struct writer *writer, struct slice ref)
{
    const struct document_node *definitions = document_find(writer->root, "definitions");
    struct slice definition = slice_from(ref, sizeof "#/definitions/" - 1);

    if (slice_is(ref, "#")) {
        buf_add(writer->out, writer->name);
        return;
    }
    for (size_t i = 0; definitions && slice_starts_with(ref, "#/definitions/") &&
                       i < definitions->count;
         i++) {
        if (slice_equal(definitions->entries[i].key, definition)) {
            write_definition_name(writer, definition);
            return;
        }
    }
    add(writer, "unknown"); /* into the middle of a schema, or an escaped name */
}

/* --- objects and arrays */

static bool is_false(const struct document_node *schema)
{
    return schema && schema->kind == DOCUMENT_SCALAR && slice_is(schema->text, "false");
}

static bool names(const struct document_node *list, struct slice name)
{
    for (size_t i = 0; list && i < list->count; i++)
        if (slice_equal(list->items[i].text, name))
            return true;
    return false;
}

static bool has_key(const struct document_node *map, struct slice key)
{
    for (size_t i = 0; map && i < map->count; i++)
        if (slice_equal(map->entries[i].key, key))
            return true;
    return false;
}

/* An object without properties of its own. */
static void write_record(struct writer *writer, const struct document_node *schema)
{
    const struct document_node *more = document_find(schema, "additionalProperties");

    add(writer, "Record<string, ");
    if (is_false(more))
        add(writer, document_find(schema, "patternProperties") ? "unknown" : "never");
    else if (more)
        write_schema(writer, more);
    else
        add(writer, "unknown");
    add(writer, ">");
}

static void write_member(struct writer *writer, struct slice name, bool is_required,
                         const struct document_node *schema)
{
    new_line(writer);
    buf_add_json_string(writer->out, name);
    add(writer, is_required ? ": " : "?: ");
    if (schema)
        write_schema(writer, schema);
    else
        add(writer, "unknown");
    add(writer, ";");
}

static void write_object(struct writer *writer, const struct document_node *schema)
{
    const struct document_node *properties = document_find(schema, "properties");
    const struct document_node *required = document_find(schema, "required");
    bool is_empty =
        (!properties || properties->count == 0) && (!required || required->count == 0);

    if (is_empty) {
        write_record(writer, schema);
        return;
    }
    add(writer, "{");
    writer->indent++;
    for (size_t i = 0; properties && i < properties->count; i++) {
        const struct document_entry *entry = &properties->entries[i];
        write_member(writer, entry->key, names(required, entry->key), &entry->value);
    }
    for (size_t i = 0; required && i < required->count; i++)
        if (!has_key(properties, required->items[i].text))
            write_member(writer, required->items[i].text, true, NULL);
    writer->indent--;
    new_line(writer);
    add(writer, "}");
}

static void write_tuple(struct writer *writer, const struct document_node *schema,
                        const struct document_node *items)
{
    const struct document_node *more = document_find(schema, "additionalItems");
    const struct document_node *least = document_find(schema, "minItems");
    uint64_t needed = 0;

    if (least)
        slice_to_u64(least->text, &needed);
    add(writer, "[");
    for (size_t i = 0; i < items->count; i++) {
        add(writer, i > 0 ? ", " : "");
        write_schema(writer, &items->items[i]);
        add(writer, i < needed ? "" : "?");
    }
    if (!is_false(more)) {
        add(writer, items->count > 0 ? ", ...Array<" : "...Array<");
        if (more)
            write_schema(writer, more);
        else
            add(writer, "unknown");
        add(writer, ">");
    }
    add(writer, "]");
}

static void write_array(struct writer *writer, const struct document_node *schema)
{
    const struct document_node *items = document_find(schema, "items");

    if (items && items->kind == DOCUMENT_LIST) {
        write_tuple(writer, schema, items);
        return;
    }
    add(writer, "Array<");
    if (items)
        write_schema(writer, items);
    else
        add(writer, "unknown");
    add(writer, ">");
}

/* --- one schema: all that it says holds at once */

static void write_type_word(struct writer *writer, const struct document_node *schema,
                            struct slice word)
{
    if (slice_is(word, "object"))
        write_object(writer, schema);
    else if (slice_is(word, "array"))
        write_array(writer, schema);
    else if (slice_is(word, "integer"))
        add(writer, "number");
    else
        buf_add(writer->out, word);
}

static void write_types(struct writer *writer, const struct document_node *schema,
                        const struct document_node *type)
{
    if (type->kind == DOCUMENT_SCALAR) {
        write_type_word(writer, schema, type->text);
        return;
    }
    add(writer, "(");
    for (size_t i = 0; i < type->count; i++) {
        add(writer, i > 0 ? " | " : "");
        write_type_word(writer, schema, type->items[i].text);
    }
    add(writer, ")");
}

/* A value as a type of its own; null for objects and lists would be too narrow. */
static void write_literal(struct writer *writer, const struct document_node *value)
{
    if (value->kind == DOCUMENT_SCALAR)
        json_document_write(value, writer->out);
    else
        add(writer,
            value->kind == DOCUMENT_LIST ? "Array<unknown>" : "Record<string, unknown>");
}

static void write_union(struct writer *writer, const struct document_node *list,
                        void (*write)(struct writer *writer,
                                      const struct document_node *item),
                        const char *between)
{
    for (size_t i = 0; i < list->count; i++) {
        add(writer, i > 0 ? between : "");
        write(writer, &list->items[i]);
    }
}

static void write_values(struct writer *writer, const struct document_node *values)
{
    add(writer, values->count > 1 ? "(" : "");
    write_union(writer, values, write_literal, " | ");
    add(writer, values->count > 1 ? ")" : "");
}

/* What a schema says about the value itself. False: nothing. */
static bool write_own(struct writer *writer, const struct document_node *schema)
{
    static const char *const of_objects[] = {"properties", "required",
                                             "additionalProperties", "patternProperties"};
    const struct document_node *type = document_find(schema, "type");
    const struct document_node *values = document_find(schema, "enum");
    const struct document_node *value = document_find(schema, "const");

    if (value)
        write_literal(writer, value);
    else if (values)
        write_values(writer, values);
    else if (type)
        write_types(writer, schema, type);
    if (value || values || type)
        return true;
    for (size_t i = 0; i < sizeof of_objects / sizeof *of_objects; i++) {
        if (document_find(schema, of_objects[i])) {
            write_object(writer, schema);
            return true;
        }
    }
    if (!document_find(schema, "items"))
        return false;
    write_array(writer, schema);
    return true;
}

static void write_schema(struct writer *writer, const struct document_node *schema)
{
    static const struct {
        const char *keyword;
        const char *between;
    } rows[] = {
        {"allOf", " & "},
        {"anyOf", " | "},
        {"oneOf", " | "},
    };
    const struct document_node *ref = document_find(schema, "$ref");

    if (is_false(schema)) {
        add(writer, "never");
        return;
    }
    if (ref) {
        write_reference(writer, ref->text);
        return;
    }
    bool is_said = write_own(writer, schema);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct document_node *list = document_find(schema, rows[i].keyword);
        if (!list)
            continue;
        add(writer, is_said ? " & (" : "(");
        write_union(writer, list, write_schema, rows[i].between);
        add(writer, ")");
        is_said = true;
    }
    if (!is_said)
        add(writer, "unknown");
}

void contract_type_write(const struct document_node *schema,
                         const struct document_node *root, struct slice name,
                         struct buf *out)
{
    struct writer writer = {.root = root, .name = name, .out = out};

    write_schema(&writer, schema);
}

void contract_types_write(const struct document_node *schema, struct slice name,
                          struct buf *out)
{
    const struct document_node *definitions = document_find(schema, "definitions");
    struct writer writer = {.root = schema, .name = name, .out = out};

    buf_add_text(out, "export type ");
    buf_add(out, name);
    buf_add_text(out, " = ");
    write_schema(&writer, schema);
    buf_add_text(out, ";\n");
    for (size_t i = 0; definitions && i < definitions->count; i++) {
        buf_add_text(out, "export type ");
        write_definition_name(&writer, definitions->entries[i].key);
        buf_add_text(out, " = ");
        write_schema(&writer, &definitions->entries[i].value);
        buf_add_text(out, ";\n");
    }
}

/* NOLINTEND(misc-no-recursion) */

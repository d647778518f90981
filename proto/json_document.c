/* JSON as a document: see the header. */
#include "proto/json_document.h"

#include "proto/json_gate.h"

#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as the gate lets JSON be. */

struct reader {
    const char *file;
    struct slice text;
    bool is_out_of_memory;
    const char *counted;   /* up to here */
    unsigned line, column; /* of it; 0: nothing is counted yet */
};

/* Line and column of a byte of the text. Nodes are met in their order, so that each byte
 * is looked at once. */
static struct place place_at(struct reader *reader, const char *at, size_t length)
{
    if (reader->line == 0 || at < reader->counted) {
        reader->counted = reader->text.ptr;
        reader->line = reader->column = 1;
    }
    for (; reader->counted < at; reader->counted++) {
        reader->column++;
        if (*reader->counted == '\n') {
            reader->line++;
            reader->column = 1;
        }
    }
    return (struct place){reader->file, reader->line, reader->column, (unsigned)length};
}

static struct slice decoded(struct reader *reader, struct slice raw)
{
    char *memory = malloc(raw.len + 1);

    if (!memory) {
        reader->is_out_of_memory = true;
        return (struct slice){0};
    }
    struct slice text = json_key_decode(raw, memory);
    if (text.ptr != memory && text.len > 0)
        memcpy(memory, text.ptr, text.len);
    return (struct slice){memory, text.len};
}

static struct document_node read_node(struct reader *reader,
                                      const struct json_value *value);

static void *grow(struct reader *reader, void *items, size_t count, size_t size)
{
    /* At each power of two. */
    void *more =
        count & (count - 1) ? items : realloc(items, (count ? 2 * count : 1) * size);

    reader->is_out_of_memory |= !more;
    return more;
}

static void read_items(struct reader *reader, struct slice array,
                       struct document_node *list)
{
    struct json_cursor cursor = {0};
    struct json_value item;

    while (json_array_next(array, &cursor, &item)) {
        struct document_node *items =
            grow(reader, list->items, list->count, sizeof *items);
        if (!items)
            return;
        list->items = items;
        items[list->count++] = read_node(reader, &item);
    }
}

static void read_members(struct reader *reader, struct slice object,
                         struct document_node *map)
{
    struct json_cursor cursor = {0};
    struct json_member member;

    while (json_object_next(object, &cursor, &member)) {
        struct document_entry *entries =
            grow(reader, map->entries, map->count, sizeof *entries);
        if (!entries)
            return;
        map->entries = entries;
        struct document_entry *entry = &entries[map->count++];
        entry->key = decoded(reader, member.key);
        entry->place = place_at(reader, member.key.ptr - 1, member.key.len + 2);
        entry->value = read_node(reader, &member.value);
    }
}

/* As deep as the text, which has passed the gate. */
static struct document_node read_node(struct reader *reader,
                                      const struct json_value *value)
{
    bool is_container = value->type == JSON_GATE_OBJECT || value->type == JSON_GATE_ARRAY;
    struct document_node node = {
        .place = place_at(reader, value->text.ptr, is_container ? 1 : value->text.len),
    };

    switch (value->type) {
    case JSON_GATE_OBJECT:
        node.kind = DOCUMENT_MAP;
        read_members(reader, value->text, &node);
        break;
    case JSON_GATE_ARRAY:
        node.kind = DOCUMENT_LIST;
        read_items(reader, value->text, &node);
        break;
    case JSON_GATE_STRING:
        node.is_quoted = true;
        node.text =
            decoded(reader, (struct slice){value->text.ptr + 1, value->text.len - 2});
        break;
    default: {
        char *copy = slice_dup(value->text);
        reader->is_out_of_memory |= !copy;
        node.text = (struct slice){copy, copy ? value->text.len : 0};
    }
    }
    return node;
}

bool json_document_read(const char *file, struct slice text, struct document_node *root,
                        struct faults *faults)
{
    const struct place start = {file, 1, 1, 0};
    struct reader reader = {.file = file, .text = text};
    struct json_fault fault = {0};
    struct json_value value;

    *root = (struct document_node){0};
    if (text.len > LIMIT_CONFIG_BYTES) {
        faults_add(faults, start, NULL, "the file is larger than 1 MiB");
        return false;
    }
    if (json_gate_check(text, &json_limits_default, &value, &fault)) {
        const char *at = text.len ? text.ptr + fault.offset : text.ptr;
        faults_add(faults, place_at(&reader, at, 0), NULL, "this is no JSON: %s",
                   fault.reason ? fault.reason : "out of memory");
        return false;
    }
    *root = read_node(&reader, &value);
    if (!reader.is_out_of_memory)
        return true;
    document_finish(root);
    faults_add(faults, start, NULL, "out of memory");
    return false;
}

void json_document_write(const struct document_node *node, struct buf *out)
{
    bool is_map = node->kind == DOCUMENT_MAP;

    if (node->kind == DOCUMENT_SCALAR && document_is_json_word(node)) {
        buf_add(out, node->text);
        return;
    }
    if (node->kind == DOCUMENT_SCALAR) {
        buf_add_json_string(out, node->text);
        return;
    }
    buf_add_byte(out, is_map ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        if (is_map) {
            buf_add_json_string(out, node->entries[i].key);
            buf_add_byte(out, ':');
        }
        json_document_write(is_map ? &node->entries[i].value : &node->items[i], out);
    }
    buf_add_byte(out, is_map ? '}' : ']');
}

/* NOLINTEND(misc-no-recursion) */

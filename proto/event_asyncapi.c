/* A catalog as AsyncAPI: see the header. Documents bound how far these functions call
 * each other. */
#include "proto/event_asyncapi.h"

#include "proto/event_schema.h"
#include "proto/json_document.h"
#include "proto/limits.h"

#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as the gate lets JSON be. */

struct writer {
    const struct event_rules *rules;
    const struct document_node *root;
    const struct system_files *files;
    struct buf *out;
    struct buf name; /* of the event that is written */
    bool has_schema; /* it has a contract */
};

static void add(struct writer *writer, const char *text)
{
    buf_add_text(writer->out, text);
}

static void add_key(struct writer *writer, bool is_first, struct slice key)
{
    add(writer, is_first ? "" : ",");
    buf_add_json_string(writer->out, key);
    add(writer, ":");
}

static void turn_to(struct writer *writer, size_t at)
{
    const struct event_rule *rule = event_rules_at(writer->rules, at);

    buf_clear(&writer->name);
    event_schema_name(writer->rules, at, &writer->name);
    writer->has_schema = event_schema_find(writer->root, writer->files, rule) != NULL;
}

static void write_reference(struct writer *writer, const char *kind, struct slice below)
{
    add(writer, "\"#/components/");
    add(writer, kind);
    add(writer, "/");
    buf_add(writer->out, buf_slice(&writer->name));
    /* What is quoted loses its quotes here. */
    struct buf quoted = {.max = LIMIT_CONFIG_BYTES};
    buf_add_json_string(&quoted, below);
    if (buf_status(&quoted))
        writer->out->failure = buf_status(&quoted);
    else
        buf_add(writer->out, (struct slice){quoted.ptr + 1, quoted.len - 2});
    buf_finish(&quoted);
    add(writer, "\"");
}

/* --- a contract in its new place: what it points to has moved along */

static bool holds_values(struct slice keyword)
{
    static const char *const words[] = {"const", "enum", "default", "examples"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_is(keyword, words[i]))
            return true;
    return false;
}

static void write_moved(struct writer *writer, const struct document_node *node)
{
    bool is_map = node->kind == DOCUMENT_MAP;

    if (node->kind == DOCUMENT_SCALAR) {
        json_document_write(node, writer->out);
        return;
    }
    add(writer, is_map ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        const struct document_node *item =
            is_map ? &node->entries[i].value : &node->items[i];
        struct slice key = is_map ? node->entries[i].key : SLICE("");
        if (is_map)
            add_key(writer, i == 0, key);
        else
            add(writer, i > 0 ? "," : "");
        if (slice_is(key, "$ref") && item->kind == DOCUMENT_SCALAR)
            write_reference(writer, "schemas", slice_from(item->text, 1));
        else if (holds_values(key))
            json_document_write(item, writer->out);
        else
            write_moved(writer, item);
    }
    add(writer, is_map ? "}" : "]");
}

/* --- what a template makes */

static void write_placeholder(struct writer *writer, struct slice inside)
{
    bool is_tree =
        slice_starts_with(inside, "payload") || slice_starts_with(inside, "args");

    if (slice_is(inside, "payload") && writer->has_schema) {
        add(writer, "{\"$ref\":");
        write_reference(writer, "schemas", SLICE(""));
        add(writer, "}");
    } else if (memchr(inside.ptr, '[', inside.len)) {
        add(writer, "{\"type\":\"array\"}");
    } else if (slice_is(inside, "now.ms")) {
        add(writer, "{\"type\":\"integer\"}");
    } else {
        add(writer, is_tree ? "{}" : "{\"type\":\"string\"}");
    }
}

static void write_shape(struct writer *writer, const struct document_node *node);

static void write_map(struct writer *writer, const struct document_node *map)
{
    add(writer, "{\"type\":\"object\",\"required\":[");
    for (size_t i = 0; i < map->count; i++) {
        add(writer, i > 0 ? "," : "");
        buf_add_json_string(writer->out, map->entries[i].key);
    }
    add(writer, "],\"properties\":{");
    for (size_t i = 0; i < map->count; i++) {
        add_key(writer, i == 0, map->entries[i].key);
        write_shape(writer, &map->entries[i].value);
    }
    add(writer, "}}");
}

/* Behind an item that fans out, places are not known. */
static void write_list(struct writer *writer, const struct document_node *list)
{
    struct slice inside;

    add(writer, "{\"type\":\"array\",\"items\":[");
    for (size_t i = 0; i < list->count; i++) {
        if (event_schema_placeholder(&list->items[i], &inside) &&
            memchr(inside.ptr, '[', inside.len))
            break;
        add(writer, i > 0 ? "," : "");
        write_shape(writer, &list->items[i]);
    }
    add(writer, "]}");
}

static void write_shape(struct writer *writer, const struct document_node *node)
{
    struct slice inside;

    if (node->kind == DOCUMENT_MAP) {
        write_map(writer, node);
    } else if (node->kind == DOCUMENT_LIST) {
        write_list(writer, node);
    } else if (event_schema_placeholder(node, &inside)) {
        write_placeholder(writer, inside);
    } else if (document_is_json_word(node)) {
        add(writer, "{\"const\":");
        json_document_write(node, writer->out);
        add(writer, "}");
    } else {
        add(writer, "{\"type\":\"string\"}");
    }
}

/* --- the three parts */

/* One of the events that go out under a name, or each of them. */
static void write_messages(struct writer *writer, size_t at, struct slice name,
                           bool is_shared)
{
    bool is_first = true;

    add(writer, is_shared ? "{\"oneOf\":[" : "");
    for (size_t i = at; i < event_rules_count(writer->rules); i++) {
        if (!event_schema_emits(event_rules_at(writer->rules, i), name))
            continue;
        turn_to(writer, i);
        add(writer, is_first ? "{\"$ref\":" : ",{\"$ref\":");
        write_reference(writer, "messages", SLICE(""));
        add(writer, "}");
        is_first = false;
    }
    add(writer, is_shared ? "]}" : "");
}

static void write_channels(struct writer *writer, size_t at, bool *is_first)
{
    const struct event_rule *rule = event_rules_at(writer->rules, at);
    bool is_shared;

    for (size_t i = 0; i < event_schema_names(rule); i++) {
        struct slice name = event_schema_name_at(rule, i);
        if (event_schema_first(writer->rules, name, &is_shared) != at)
            continue;
        add_key(writer, *is_first, name);
        add(writer, "{\"subscribe\":{\"message\":");
        write_messages(writer, at, name, is_shared);
        add(writer, "}}");
        *is_first = false;
    }
}

static void write_message(struct writer *writer, size_t at, bool *is_first)
{
    const struct event_rule *rule = event_rules_at(writer->rules, at);
    bool is_args;
    const struct document_node *shape = event_schema_shape(writer->root, rule, &is_args);
    bool is_one = shape && is_args && shape->kind == DOCUMENT_SCALAR;

    add_key(writer, *is_first, buf_slice(&writer->name));
    add(writer, "{\"name\":");
    buf_add_json_string(writer->out, event_rule_name(rule));
    add(writer, ",\"contentType\":\"application/json\",\"payload\":");
    if (is_one)
        add(writer, "{\"type\":\"array\"}");
    else if (shape)
        write_shape(writer, shape);
    else
        write_placeholder(writer, SLICE("payload"));
    add(writer, "}");
    *is_first = false;
}

static void write_contract(struct writer *writer, size_t at, bool *is_first)
{
    if (!writer->has_schema)
        return;
    add_key(writer, *is_first, buf_slice(&writer->name));
    write_moved(writer, event_schema_find(writer->root, writer->files,
                                          event_rules_at(writer->rules, at)));
    *is_first = false;
}

static void write_each(struct writer *writer,
                       void (*write)(struct writer *writer, size_t at, bool *is_first))
{
    bool is_first = true;

    for (size_t i = 0; i < event_rules_count(writer->rules); i++) {
        turn_to(writer, i);
        write(writer, i, &is_first);
    }
}

/* http://… is ws://…, and https://… wss://… */
static void write_server(struct writer *writer, struct slice url)
{
    bool is_safe = slice_starts_with(url, "https:");
    struct buf address = {.max = LIMIT_CONFIG_BYTES};

    buf_add_text(&address, "ws");
    buf_add(&address, slice_from(url, 4));
    add(writer, "\"servers\":{\"public\":{\"url\":");
    buf_add_json_string(writer->out, buf_slice(&address));
    add(writer, is_safe ? ",\"protocol\":\"wss\"}}," : ",\"protocol\":\"ws\"}},");
    buf_finish(&address);
}

void event_asyncapi_write(const struct event_rules *rules,
                          const struct document_node *root,
                          const struct system_files *files, struct slice public_url,
                          struct buf *out)
{
    struct writer writer = {
        .rules = rules,
        .root = root,
        .files = files,
        .out = out,
        .name = {.max = LIMIT_CONFIG_BYTES},
    };

    add(&writer, "{\"asyncapi\":\"2.6.0\",\"info\":{\"title\":\"Events\",\"version\":"
                 "\"1\"},\"defaultContentType\":\"application/json\",");
    if (public_url.len > 0)
        write_server(&writer, public_url);
    add(&writer, "\"channels\":{");
    write_each(&writer, write_channels);
    add(&writer, "},\"components\":{\"messages\":{");
    write_each(&writer, write_message);
    add(&writer, "},\"schemas\":{");
    write_each(&writer, write_contract);
    add(&writer, "}}}\n");
    if (buf_status(&writer.name))
        out->failure = buf_status(&writer.name);
    buf_finish(&writer.name);
}

/* NOLINTEND(misc-no-recursion) */

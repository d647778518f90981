/* Types of a catalog: see the header. */
#include "proto/event_types.h"

#include "proto/contract_types.h"
#include "proto/event_schema.h"
#include "proto/limits.h"

#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as the gate lets JSON be. */

struct writer {
    const struct event_rules *rules;
    const struct document_node *root;
    const struct system_files *files;
    struct buf *out;
    struct slice payload; /* the type of the payload of the event that is written */
};

static void add(struct writer *writer, const char *text)
{
    buf_add_text(writer->out, text);
}

static const struct document_node *schema_of(const struct writer *writer,
                                             const struct event_rule *rule)
{
    return event_schema_find(writer->root, writer->files, rule);
}

/* --- what a template makes */

static void write_placeholder(struct writer *writer, struct slice inside)
{
    bool is_tree =
        slice_starts_with(inside, "payload") || slice_starts_with(inside, "args");

    if (slice_is(inside, "payload"))
        buf_add(writer->out, writer->payload);
    else if (memchr(inside.ptr, '[', inside.len))
        add(writer, "Array<unknown>");
    else if (slice_is(inside, "now.ms"))
        add(writer, "number");
    else
        add(writer, is_tree ? "unknown" : "string");
}

static void write_scalar(struct writer *writer, const struct document_node *node)
{
    struct slice inside;

    if (event_schema_placeholder(node, &inside))
        write_placeholder(writer, inside);
    else if (document_is_json_word(node))
        buf_add(writer->out, node->text);
    else
        add(writer, "string");
}

static bool fans_out(const struct document_node *node)
{
    struct slice inside;

    return event_schema_placeholder(node, &inside) && memchr(inside.ptr, '[', inside.len);
}

/* As deep as the document. */
static void write_shape(struct writer *writer, const struct document_node *node)
{
    switch (node->kind) {
    case DOCUMENT_SCALAR: write_scalar(writer, node); break;
    case DOCUMENT_LIST:
        add(writer, "[");
        for (size_t i = 0; i < node->count; i++) {
            add(writer, i > 0 ? ", " : "");
            add(writer, fans_out(&node->items[i]) ? "..." : "");
            write_shape(writer, &node->items[i]);
        }
        add(writer, "]");
        break;
    case DOCUMENT_MAP:
        add(writer, "{ ");
        for (size_t i = 0; i < node->count; i++) {
            buf_add_json_string(writer->out, node->entries[i].key);
            add(writer, ": ");
            write_shape(writer, &node->entries[i].value);
            add(writer, "; ");
        }
        add(writer, "}");
        break;
    }
}

/* --- events of the server */

/* What stands between the parentheses of a handler. */
static void write_arguments(struct writer *writer, const struct event_rule *rule)
{
    bool is_args;
    const struct document_node *shape = event_schema_shape(writer->root, rule, &is_args);

    if (shape) {
        bool is_one = is_args && shape->kind != DOCUMENT_LIST && !fans_out(shape);
        add(writer, is_args ? "...args: " : "payload: ");
        add(writer, is_one ? "[" : "");
        write_shape(writer, shape);
        add(writer, is_one ? "]" : "");
    } else if (slice_is(writer->payload, "unknown")) {
        add(writer, "...args: Array<any>"); /* nothing is said about it */
    } else {
        add(writer, "payload: ");
        buf_add(writer->out, writer->payload);
    }
}

/* Under a name that several events have, anything may come. */
static void write_handler(struct writer *writer, size_t at, struct slice name)
{
    bool is_shared;

    if (event_schema_first(writer->rules, name, &is_shared) != at)
        return;
    add(writer, "  ");
    buf_add_json_string(writer->out, name);
    add(writer, ": (");
    if (is_shared)
        add(writer, "...args: Array<any>");
    else
        write_arguments(writer, event_rules_at(writer->rules, at));
    add(writer, ") => void;\n");
}

static void write_handlers(struct writer *writer, size_t at)
{
    const struct event_rule *rule = event_rules_at(writer->rules, at);
    struct buf name = {.max = LIMIT_CONFIG_BYTES};

    if (schema_of(writer, rule))
        event_schema_name(writer->rules, at, &name);
    else
        buf_add_text(&name, "unknown");
    writer->payload = buf_slice(&name);
    for (size_t i = 0; i < event_schema_names(rule); i++)
        write_handler(writer, at, event_schema_name_at(rule, i));
    buf_finish(&name);
}

static void write_payload(struct writer *writer, size_t at)
{
    const struct document_node *schema =
        schema_of(writer, event_rules_at(writer->rules, at));
    struct buf name = {.max = LIMIT_CONFIG_BYTES};

    if (!schema)
        return;
    event_schema_name(writer->rules, at, &name);
    contract_types_write(schema, buf_slice(&name), writer->out);
    buf_finish(&name);
}

/* --- commands of clients */

static void write_field(struct writer *writer, const struct document_entry *field)
{
    static const struct {
        const char *word, *type;
    } words[] = {
        {"id",     "string | number"        },
        {"string", "string"                 },
        {"int",    "number"                 },
        {"object", "Record<string, unknown>"},
    };
    const struct document_node *type = &field->value;

    buf_add_json_string(writer->out, field->key);
    add(writer, ": ");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (type->kind == DOCUMENT_SCALAR && slice_is(type->text, words[i].word))
            add(writer, words[i].type);
    if (type->kind != DOCUMENT_SCALAR)
        contract_type_write(type, type, SLICE("unknown"), writer->out);
    add(writer, "; ");
}

static void write_command(struct writer *writer, const struct document_entry *command)
{
    const struct document_node *args = document_find(&command->value, "args");
    bool has_fields = args && args->kind == DOCUMENT_MAP;

    add(writer, "  ");
    buf_add_json_string(writer->out, command->key);
    if (!has_fields) {
        add(writer, ": (...args: Array<any>) => void;\n");
        return;
    }
    add(writer, ": (payload: { ");
    for (size_t i = 0; i < args->count; i++)
        write_field(writer, &args->entries[i]);
    add(writer, "}, ack?: (answer: any) => void) => void;\n");
}

static void write_commands(struct writer *writer)
{
    const struct document_node *commands = document_find(writer->root, "commands");

    add(writer, "\nexport interface ClientToServerEvents {\n");
    for (size_t i = 0; commands && i < commands->count; i++)
        write_command(writer, &commands->entries[i]);
    if (!commands)
        add(writer,
            "  \"subscribe\": (payload: { \"room\": string; }, ack?: (answer: "
            "any) => void) => void;\n"
            "  \"unsubscribe\": (payload: { \"room\": string; }, ack?: (answer: "
            "any) => void) => void;\n"
            "  \"auth:refresh\": (payload: { \"token\": string; }, ack?: (answer: "
            "any) => void) => void;\n");
    add(writer, "}\n");
}

void event_types_write(const struct event_rules *rules, const struct document_node *root,
                       const struct system_files *files, struct buf *out)
{
    struct writer writer = {.rules = rules, .root = root, .files = files, .out = out};
    size_t count = event_rules_count(rules);

    add(&writer, "// Made by `sidecast contracts --types` from the configuration.\n");
    for (size_t i = 0; i < count; i++)
        write_payload(&writer, i);
    add(&writer, "\nexport interface ServerToClientEvents {\n");
    for (size_t i = 0; i < count; i++)
        write_handlers(&writer, i);
    add(&writer, "}\n");
    write_commands(&writer);
}

/* NOLINTEND(misc-no-recursion) */

/* Namespaces: see the header. */
#include "proto/namespace_rules.h"

#include "proto/limits.h"
#include "proto/room_name.h"
#include "proto/rule_node.h"

#include <stdlib.h>

enum {
    DATA_SOURCES = TEMPLATE_BIT(TEMPLATE_CODE) | TEMPLATE_BIT(TEMPLATE_MESSAGE) |
                   TEMPLATE_BIT(TEMPLATE_NOW),
};

static const char default_refusal[] = "Not authorized";

struct namespace_refusal {
    char *message;         /* NULL: ours */
    struct template *data; /* NULL: none */
};

/* One row, and what it owns. */
struct row {
    struct namespace_rule rule;
    struct namespace_refusal refusal;
    const struct document_node *alias; /* while compiling */
    char *name;
};

struct namespace_rules {
    struct row *rows;
    size_t count;
};

/* What one row is compiled from. */
struct compilation {
    struct namespace_rules *rules;
    const struct command_rules *commands;
    struct faults *faults;
};

/* --- commands --- */

static const struct command_rule *find_command(const struct command_rules *commands,
                                               const struct document_node *name,
                                               struct faults *faults)
{
    const char *names[LIMIT_COMMANDS];
    size_t count = command_rules_count(commands);
    const struct command_rule *found =
        name->kind == DOCUMENT_SCALAR ? command_rules_find(commands, name->text) : NULL;

    for (size_t i = 0; i < count; i++)
        names[i] = command_rules_at(commands, i)->name.ptr;
    if (!found && name->kind == DOCUMENT_SCALAR)
        faults_add_word(faults, name->place, "there is no command", name->text, names,
                        count);
    else if (!found)
        faults_add(faults, name->place, NULL, "commands lists names of commands");
    return found;
}

static void read_commands(const struct compilation *from, struct namespace_rule *rule,
                          const struct document_node *list)
{
    if (!list)
        return;
    if (list->kind != DOCUMENT_LIST) {
        faults_add(from->faults, list->place, NULL,
                   "commands is a list of names: those that work here; [] is none");
        return;
    }
    rule->has_commands = true;
    rule->commands = calloc(list->count + 1, sizeof *rule->commands);
    if (!rule->commands)
        rule_no_memory(list->place, from->faults);
    for (size_t i = 0; rule->commands && from->commands && i < list->count; i++)
        rule->commands[rule->command_count++] =
            find_command(from->commands, &list->items[i], from->faults);
}

/* --- refusals --- */

static void read_refusal(struct row *row, const struct document_node *node,
                         struct faults *faults)
{
    const struct document_node *message = document_find(node, "message");
    const struct document_node *data = document_find(node, "data");

    if (!node ||
        !rule_map(node, "refuse is a map: {message: Not authorized, data: …}", faults))
        return;
    row->rule.refusal = &row->refusal;
    if (message && message->kind != DOCUMENT_SCALAR)
        faults_add(faults, message->place, NULL, "the message of a refusal is a text");
    else if (message)
        row->refusal.message = slice_dup(message->text);
    if (message && message->kind == DOCUMENT_SCALAR && !row->refusal.message)
        rule_no_memory(message->place, faults);
    if (data)
        row->refusal.data = template_of_json(data, DATA_SOURCES, faults);
}

struct slice namespace_refusal_message(const struct namespace_refusal *refusal)
{
    return slice_of(refusal->message ? refusal->message : default_refusal);
}

void namespace_refusal_data(const struct namespace_refusal *refusal,
                            const struct template_values *values, struct buf *out)
{
    struct template_failure failure;
    struct buf data = {.max = out->max};

    if (refusal->data && !template_json(refusal->data, values, &data, &failure) &&
        buf_status(&data) == ST_OK)
        buf_add(out, buf_slice(&data));
    buf_finish(&data);
}

/* --- rows --- */

/* An alias is as what it stands for; who is refused has nothing else to say. */
static void check_alone(const struct document_entry *entry, const char *word,
                        struct faults *faults)
{
    const struct document_node *node = &entry->value;

    if (document_find(node, word) && node->count > 1)
        faults_add(faults, entry->place, NULL,
                   "beside %s there is nothing else to say of a namespace", word);
}

static struct row *add_row(const struct compilation *from, struct slice name,
                           struct place place)
{
    struct row *row = &from->rules->rows[from->rules->count++];

    row->name = slice_dup(name);
    row->rule.name = (struct slice){row->name, row->name ? name.len : 0};
    row->rule.real = &row->rule;
    row->rule.recovers = true;
    if (!row->name)
        rule_no_memory(place, from->faults);
    return row;
}

static void compile_row(const struct compilation *from,
                        const struct document_entry *entry)
{
    const struct document_node *node = &entry->value;
    struct row *row = add_row(from, entry->key, entry->place);

    if (!namespace_is_valid(entry->key))
        faults_add(from->faults, entry->place, NULL,
                   "a namespace is / or begins with it, has at most %d bytes, no comma "
                   "and no question mark",
                   LIMIT_NAMESPACE_BYTES);
    if (!rule_map(node, "a namespace is a map: {alias: /}, {commands: []} or {}",
                  from->faults))
        return;
    check_alone(entry, "alias", from->faults);
    check_alone(entry, "refuse", from->faults);
    row->alias = document_find(node, "alias");
    if (document_find(node, "recovery"))
        rule_switch(document_find(node, "recovery"), "recovery", &row->rule.recovers,
                    from->faults);
    read_commands(from, &row->rule, document_find(node, "commands"));
    read_refusal(row, document_find(node, "refuse"), from->faults);
}

static struct row *find_row(const struct namespace_rules *rules, struct slice name)
{
    for (size_t i = 0; i < rules->count; i++)
        if (slice_equal(rules->rows[i].rule.name, name))
            return &rules->rows[i];
    return NULL;
}

static void resolve_alias(const struct compilation *from, struct row *row)
{
    const struct document_node *alias = row->alias;
    const char *names[LIMIT_NAMESPACES + 1];
    const struct row *real =
        alias->kind == DOCUMENT_SCALAR ? find_row(from->rules, alias->text) : NULL;

    for (size_t i = 0; i < from->rules->count; i++)
        names[i] = from->rules->rows[i].name ? from->rules->rows[i].name : "";
    if (alias->kind != DOCUMENT_SCALAR)
        faults_add(from->faults, alias->place, NULL, "alias is the name of a namespace");
    else if (!real)
        faults_add_word(from->faults, alias->place, "there is no namespace", alias->text,
                        names, from->rules->count);
    else if (real->alias)
        faults_add(from->faults, alias->place, NULL,
                   "%s is another name itself: alias needs the namespace behind it",
                   real->name);
    else if (real->rule.refusal)
        faults_add(from->faults, alias->place, NULL, "nobody can connect to %s",
                   real->name);
    else
        row->rule.real = &real->rule;
}

static void compile_map(const struct compilation *from, const struct document_node *map)
{
    struct namespace_rules *rules = from->rules;

    for (size_t i = 0; i < map->count; i++)
        compile_row(from, &map->entries[i]);
    if (!find_row(rules, SLICE("/")))
        add_row(from, SLICE("/"), map->place);
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rows[i].alias)
            resolve_alias(from, &rules->rows[i]);
    for (size_t i = 0; i < rules->count; i++)
        rules->rows[i].alias = NULL;
}

struct namespace_rules *namespace_rules_compile(const struct document_node *node,
                                                const struct command_rules *commands,
                                                struct faults *faults)
{
    static const struct document_node nothing = {.kind = DOCUMENT_MAP};
    struct namespace_rules *rules = calloc(1, sizeof *rules);
    const struct compilation from = {rules, commands, faults};
    size_t before = rule_fault_count(faults);

    if (rules)
        rules->rows = calloc(LIMIT_NAMESPACES + 1, sizeof *rules->rows);
    if (!rules || !rules->rows)
        rule_no_memory((struct place){0}, faults);
    else if (!rule_map(node, "namespaces is a map: a name to what it is", faults))
        ;
    else if (node && node->count > LIMIT_NAMESPACES)
        faults_add(faults, node->place, NULL, "there are at most %d namespaces",
                   LIMIT_NAMESPACES);
    else
        compile_map(&from, node ? node : &nothing);
    if (rule_fault_count(faults) == before)
        return rules;
    namespace_rules_destroy(rules);
    return NULL;
}

void namespace_rules_destroy(struct namespace_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++) {
        struct row *row = &rules->rows[i];
        free(row->name);
        free(row->rule.commands);
        free(row->refusal.message);
        template_destroy(row->refusal.data);
    }
    free(rules->rows);
    free(rules);
}

unsigned namespace_rules_uses(const struct namespace_rules *rules)
{
    unsigned uses = 0;

    for (size_t i = 0; i < rules->count; i++)
        if (rules->rows[i].refusal.data)
            uses |= template_uses(rules->rows[i].refusal.data);
    return uses;
}

bool namespace_rules_recover(const struct namespace_rules *rules)
{
    bool any = false;

    for (size_t i = 0; i < rules->count; i++) {
        const struct namespace_rule *rule = &rules->rows[i].rule;
        any = any || (!rule->refusal && rule->real->recovers);
    }
    return any;
}

const struct namespace_rule *namespace_rules_find(const struct namespace_rules *rules,
                                                  struct slice name)
{
    const struct row *row = find_row(rules, name);

    return row ? &row->rule : NULL;
}

bool namespace_rules_allow(const struct namespace_rules *rules, struct slice name,
                           const struct command_rule *command)
{
    const struct namespace_rule *rule = namespace_rules_find(rules, name);

    if (!rule || !rule->has_commands)
        return rule != NULL;
    for (size_t i = 0; i < rule->command_count; i++)
        if (rule->commands[i] == command)
            return true;
    return false;
}

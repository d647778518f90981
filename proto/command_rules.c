/* Commands of a configuration: see the header. */
#include "proto/command_rules.h"

#include "proto/command_compile.h"
#include "proto/json_document.h"
#include "proto/limits.h"
#include "proto/room_name.h"
#include "proto/rule_node.h"
#include "proto/sio.h"

#include <stdlib.h>

struct command_rules {
    struct command_row *rows;
    size_t count;
    enum command_unknown unknown;
    struct ack_rules *acks;
    struct rate_rules *rates;
    struct beat_rules *beats;
};

/* What there is where the file names none. */
static const char builtin[] =
    "{\"subscribe\":{\"do\":\"join\",\"args\":{\"room\":\"string\"},"
    "\"room\":\"{args.0.room}\"},"
    "\"unsubscribe\":{\"do\":\"leave\",\"args\":{\"room\":\"string\"},"
    "\"room\":\"{args.0.room}\"},"
    "\"auth:refresh\":{\"do\":\"refresh\",\"args\":{\"token\":\"string\"}}}";

/* --- compiling */

static void check_name(const struct document_entry *entry, struct faults *faults)
{
    struct document_node name = {.text = entry->key, .place = entry->place};

    free(rule_event_name(&name, "the name of a command", faults));
}

static void compile_rows(struct command_rules *rules, const struct document_node *map,
                         struct faults *faults)
{
    if (!rule_map(map, "commands is a map: an event to what is done", faults))
        return;
    if (map->count > LIMIT_COMMANDS) {
        faults_add(faults, map->place, NULL, "there are at most %d commands",
                   LIMIT_COMMANDS);
        return;
    }
    rules->rows = calloc(map->count + 1, sizeof *rules->rows);
    if (!rules->rows) {
        rule_no_memory(map->place, faults);
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        check_name(&map->entries[i], faults);
        command_row_compile(&rules->rows[rules->count++], &map->entries[i], rules->acks,
                            rules->rates, faults);
    }
}

static void compile_commands(struct command_rules *rules,
                             const struct document_node *commands, struct faults *faults)
{
    struct document_node own;

    if (commands) {
        compile_rows(rules, commands, faults);
    } else if (json_document_read("built in", slice_of(builtin), &own, faults)) {
        compile_rows(rules, &own, faults);
        document_finish(&own);
    }
}

static void compile_unknown(struct command_rules *rules, const struct document_node *node,
                            struct faults *faults)
{
    static const char *const words[] = {"ignore", "refuse", "disconnect"};
    int at;

    if (!node)
        return;
    if (node->kind == DOCUMENT_SCALAR && slice_is(node->text, "forward")) {
        faults_add(faults, node->place, NULL,
                   "client_events: forward needs hooks, which are not part of this "
                   "version");
        return;
    }
    at = rule_word(node, "client_events", words, sizeof words / sizeof *words, faults);
    if (at >= 0)
        rules->unknown = (enum command_unknown)at;
}

struct command_rules *command_rules_compile(const struct document_node *root,
                                            struct faults *faults)
{
    struct command_rules *rules = calloc(1, sizeof *rules);
    size_t before = rule_fault_count(faults);

    if (!rules) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    rules->acks = ack_rules_compile(root, faults);
    rules->rates =
        rate_rules_compile(document_find(document_find(root, "limits"), "rates"), faults);
    rules->beats = beat_rules_compile(document_find(root, "heartbeats"), faults);
    compile_unknown(rules, document_find(root, "client_events"), faults);
    if (!rules->acks) {
        /* The other faults all the same: with answers of our own. */
        struct faults none = {0};
        rules->acks = ack_rules_compile(NULL, &none);
        faults_finish(&none);
    }
    if (rules->acks)
        compile_commands(rules, document_find(root, "commands"), faults);
    if (rule_fault_count(faults) == before)
        return rules;
    command_rules_destroy(rules);
    return NULL;
}

void command_rules_destroy(struct command_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        command_row_finish(&rules->rows[i]);
    free(rules->rows);
    ack_rules_destroy(rules->acks);
    rate_rules_destroy(rules->rates);
    beat_rules_destroy(rules->beats);
    free(rules);
}

/* --- questions */

const struct command_rule *command_rules_find(const struct command_rules *rules,
                                              struct slice name)
{
    for (size_t i = 0; i < rules->count; i++)
        if (slice_equal(rules->rows[i].rule.name, name))
            return &rules->rows[i].rule;
    return NULL;
}

size_t command_rules_count(const struct command_rules *rules)
{
    return rules->count;
}

const struct command_rule *command_rules_at(const struct command_rules *rules, size_t i)
{
    return &rules->rows[i].rule;
}

enum command_unknown command_rules_unknown(const struct command_rules *rules)
{
    return rules->unknown;
}

const struct ack_rules *command_rules_acks(const struct command_rules *rules)
{
    return rules->acks;
}

const struct rate_rules *command_rules_rates(const struct command_rules *rules)
{
    return rules->rates;
}

const struct beat_rules *command_rules_beats(const struct command_rules *rules)
{
    return rules->beats;
}

static unsigned uses_of(const struct template *template)
{
    return template ? template_uses(template) : 0;
}

unsigned command_rules_uses(const struct command_rules *rules)
{
    unsigned uses = ack_rules_uses(rules->acks);

    for (size_t i = 0; i < rules->count; i++) {
        const struct command_rule *rule = &rules->rows[i].rule;
        uses |= uses_of(rule->room) | uses_of(rule->output.template) |
                uses_of(rule->ok.template) | uses_of(rule->error);
        for (size_t k = 0; k < rule->allow_count; k++)
            uses |= uses_of(rule->allow[k]);
    }
    return uses;
}

enum status command_output_render(const struct command_output *output,
                                  const struct template_values *from, struct buf *out,
                                  struct slice *values, struct template_failure *failure)
{
    size_t before = out->len;

    *values = (struct slice){0};
    if (!output->template)
        return ST_OK;
    enum status st = template_json(output->template, from, out, failure);
    if (!st)
        st = buf_status(out);
    if (st)
        return st;
    *values = slice_from(buf_slice(out), before);
    if (output->is_list)
        *values = sio_array_items(*values);
    return ST_OK;
}

struct match {
    struct slice room;
    bool is_found;
};

static enum status compare(void *ctx, struct slice pattern)
{
    struct match *match = ctx;

    match->is_found = match->is_found || room_pattern_matches(pattern, match->room);
    return ST_OK;
}

bool command_rule_allows(const struct command_rule *rule,
                         const struct template_values *values, struct slice room,
                         struct buf *scratch)
{
    struct match match = {.room = room};
    struct template_failure failure;

    for (size_t i = 0; i < rule->allow_count && !match.is_found; i++) {
        /* A pattern that cannot be rendered matches nothing. */
        struct match one = match;
        if (!template_rooms(rule->allow[i], values, scratch, compare, &one, &failure))
            match = one;
    }
    return match.is_found;
}

bool command_rule_leads_into(const struct command_rule *rule,
                             const struct template_values *values, struct slice room,
                             struct buf *scratch)
{
    return rule->action == COMMAND_JOIN &&
           template_could_give(rule->room, values, room, scratch) &&
           command_rule_allows(rule, values, room, scratch);
}

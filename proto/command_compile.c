/*
 * One command of a configuration: its keys, and which of them go together. The table
 * below is all there is to know about an action.
 */
#include "proto/command_compile.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>

enum command_key {
    KEY_ROOM,
    KEY_ALLOW,
    KEY_EVENT,
    KEY_AS,
    KEY_PAYLOAD,
    KEY_EXCEPT_SELF,
    KEY_MEMBER,
    KEY_ARGS, /* as what is sent; as a check it goes with every action */
    KEY_COUNT
};

#define BIT(key) (1u << (key))
#define SENDS (BIT(KEY_PAYLOAD) | BIT(KEY_ARGS))

static const char *const key_names[KEY_COUNT] = {
    "room", "allow", "event", "as", "payload", "except_self", "member", "args"};

/* Keys that belong to a command whatever it does. */
static const char *const common_names[] = {"do", "limit", "ack"};

struct action_row {
    unsigned needs;
    unsigned takes;
    bool has_room;   /* its answer may name the room */
    bool has_result; /* its answer is what it found out */
};

static const char *const action_words[COMMAND_ACTION_COUNT] = {
    "join", "leave", "rooms", "whoami", "refresh", "reply", "ack", "relay", "close"};

static const struct action_row actions[COMMAND_ACTION_COUNT] = {
    [COMMAND_JOIN] = {BIT(KEY_ROOM),               BIT(KEY_ALLOW),    true,  false},
    [COMMAND_LEAVE] = {BIT(KEY_ROOM),               0,                 true,  false},
    [COMMAND_ROOMS] = {0,                           0,                 false, true },
    [COMMAND_WHOAMI] = {0,                           0,                 false, true },
    [COMMAND_REFRESH] = {0,                           0,                 false, false},
    [COMMAND_REPLY] = {BIT(KEY_EVENT),              SENDS,             false, false},
    [COMMAND_ACK] = {0,                           SENDS,             false, false},
    [COMMAND_RELAY] = {BIT(KEY_ROOM) | BIT(KEY_AS),
                      SENDS | BIT(KEY_EXCEPT_SELF) | BIT(KEY_MEMBER), true,  false},
    [COMMAND_CLOSE] = {0,                           0,                 false, false},
};

/* One command while it is being read. */
struct reading {
    struct command_row *row;
    const struct document_node *node;
    const struct document_node *keys[KEY_COUNT]; /* NULL: not given */
    bool has_action; /* else all it has is read for its faults */
    const struct ack_rules *acks;
    struct faults *faults;
};

/* --- which keys */

/* A map under `args` is a check of what comes, anything else is what goes out. */
static bool is_check(const char *name, const struct document_node *value)
{
    return slice_is(slice_of(name), "args") && value->kind == DOCUMENT_MAP;
}

static bool is_common(struct slice key)
{
    for (size_t i = 0; i < sizeof common_names / sizeof *common_names; i++)
        if (slice_is(key, common_names[i]))
            return true;
    return false;
}

static void take_key(struct reading *reading, const struct document_entry *entry,
                     unsigned takes)
{
    const char *action = action_words[reading->row->rule.action];

    if (is_common(entry->key))
        return;
    for (int key = 0; key < KEY_COUNT; key++) {
        if (!slice_is(entry->key, key_names[key]) ||
            is_check(key_names[key], &entry->value))
            continue;
        reading->keys[key] = &entry->value;
        if (reading->has_action && !(takes & BIT(key)))
            faults_add(reading->faults, entry->place, NULL, "do: %s has no use for %s",
                       action, key_names[key]);
        return;
    }
    if (slice_is(entry->key, "hook"))
        faults_add(reading->faults, entry->place, NULL,
                   "hooks are not part of this version");
    else if (!slice_is(entry->key, "args"))
        faults_add_word(reading->faults, entry->place, "a command has no key", entry->key,
                        key_names, KEY_COUNT);
}

static void take_keys(struct reading *reading)
{
    const struct action_row *action = &actions[reading->row->rule.action];

    for (size_t i = 0; i < reading->node->count; i++)
        take_key(reading, &reading->node->entries[i], action->needs | action->takes);
    for (int key = 0; key < KEY_COUNT; key++)
        if (reading->has_action && action->needs & BIT(key) && !reading->keys[key])
            faults_add(reading->faults, reading->node->place, NULL, "do: %s needs %s",
                       action_words[reading->row->rule.action], key_names[key]);
    if (reading->keys[KEY_PAYLOAD] && reading->keys[KEY_ARGS])
        faults_add(reading->faults, reading->keys[KEY_ARGS]->place, NULL,
                   "a command sends a payload or args, not both");
}

/* --- what they say */

static void read_room(struct reading *reading)
{
    const struct document_node *node = reading->keys[KEY_ROOM];
    struct template *room;

    if (!node)
        return;
    room = template_of_room(node, COMMAND_SOURCES, reading->faults);
    if (room && template_fans_out(room))
        faults_add(reading->faults, node->place, NULL,
                   "a command has one room, so nothing in it may fan out");
    reading->row->room = room;
    reading->row->rule.room = room;
}

static void read_allow(struct reading *reading)
{
    enum {
        SOURCES = TEMPLATE_BIT(TEMPLATE_CLAIMS) | TEMPLATE_BIT(TEMPLATE_USER)
    };
    const struct document_node *node = reading->keys[KEY_ALLOW];
    struct command_row *row = reading->row;

    if (!node)
        return;
    if (node->kind != DOCUMENT_LIST) {
        faults_add(reading->faults, node->place, NULL,
                   "allow is a list of patterns, like [\"project:*\"]");
        return;
    }
    row->allow = calloc(node->count + 1, sizeof *row->allow);
    if (!row->allow) {
        rule_no_memory(node->place, reading->faults);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        row->allow[i] = template_of_pattern(&node->items[i], SOURCES, reading->faults);
    row->rule.allow = row->allow;
    row->rule.allow_count = node->count;
}

static void read_event(struct reading *reading)
{
    enum command_key key = reading->keys[KEY_AS] ? KEY_AS : KEY_EVENT;
    struct buf json = {.max = 6 * LIMIT_EVENT_NAME_BYTES + 2};
    struct command_row *row = reading->row;

    if (!reading->keys[key])
        return;
    row->event = rule_event_name(reading->keys[key], key_names[key], reading->faults);
    if (!row->event)
        return;
    buf_add_json_string(&json, slice_of(row->event));
    if (buf_status(&json))
        rule_no_memory(reading->keys[key]->place, reading->faults);
    row->rule.event = slice_of(row->event);
    row->rule.event_json = (struct slice){json.ptr, json.len};
    row->event_json = json.ptr;
}

static void read_output(struct reading *reading)
{
    const struct document_node *payload = reading->keys[KEY_PAYLOAD];
    const struct document_node *args = reading->keys[KEY_ARGS];
    struct command_row *row = reading->row;

    if (!payload && !args)
        return;
    row->output =
        template_of_json(payload ? payload : args, COMMAND_SOURCES, reading->faults);
    row->rule.output.template = row->output;
    row->rule.output.is_list = !payload && args->kind == DOCUMENT_LIST;
    if (payload && row->output && template_fans_out(row->output))
        faults_add(reading->faults, payload->place, "args: \"…\"",
                   "a payload is one value, and this may give several");
}

/* A relay without payload or args passes on what came. */
static void default_output(struct reading *reading)
{
    struct command_row *row = reading->row;

    if (row->rule.action != COMMAND_RELAY || reading->keys[KEY_PAYLOAD] ||
        reading->keys[KEY_ARGS])
        return;
    row->output = ack_rules_builtin("\"{args[]}\"", COMMAND_SOURCES, reading->faults);
    row->rule.output.template = row->output;
}

static void read_switches(struct reading *reading)
{
    const struct document_node *except = reading->keys[KEY_EXCEPT_SELF];
    const struct document_node *member = reading->keys[KEY_MEMBER];
    struct command_rule *rule = &reading->row->rule;

    rule->except_self = true;
    rule->must_be_member = true;
    if (except)
        rule_switch(except, "except_self", &rule->except_self, reading->faults);
    if (member)
        rule_switch(member, "member", &rule->must_be_member, reading->faults);
}

static void read_args(struct reading *reading)
{
    const struct document_node *args = document_find(reading->node, "args");

    if (!args || args->kind != DOCUMENT_MAP)
        return;
    reading->row->args = command_args_compile(args, reading->faults);
    reading->row->rule.args = reading->row->args;
}

/* --- the answer */

/* The file's own `ack.ok` goes with what has all that it draws on. */
static const struct template *default_ok(const struct reading *reading)
{
    const struct action_row *action = &actions[reading->row->rule.action];
    const struct template *own = ack_rules_ok(reading->acks);
    unsigned has = COMMAND_SOURCES;

    if (action->has_result)
        return ack_rules_result(reading->acks);
    if (action->has_room)
        has |= TEMPLATE_BIT(TEMPLATE_ROOM);
    if (own && !(template_uses(own) & ~has))
        return own;
    return ack_rules_plain_ok(reading->acks, action->has_room);
}

static unsigned ok_sources(const struct reading *reading)
{
    const struct action_row *action = &actions[reading->row->rule.action];
    unsigned sources = COMMAND_SOURCES;

    if (action->has_room || !reading->has_action)
        sources |= TEMPLATE_BIT(TEMPLATE_ROOM);
    if (action->has_result || !reading->has_action)
        sources |= TEMPLATE_BIT(TEMPLATE_PAYLOAD);
    return sources;
}

static void read_ack(struct reading *reading)
{
    const struct document_node *ack = document_find(reading->node, "ack");
    const struct document_node *ok = document_find(ack, "ok");
    const struct document_node *error = document_find(ack, "error");
    struct command_row *row = reading->row;
    bool answers = row->rule.action == COMMAND_ACK && row->rule.output.template;

    rule_map(ack, "ack is a map: ok, error", reading->faults);
    if (ok)
        row->ok = template_of_json(ok, ok_sources(reading), reading->faults);
    if (error)
        row->error = template_of_json(error, ACK_ERROR_SOURCES, reading->faults);
    if (answers && ok)
        faults_add(reading->faults, ok->place, NULL,
                   "do: ack answers with payload, args or ack.ok, one of them");
    row->rule.error = row->error ? row->error : ack_rules_error(reading->acks);
    if (answers)
        row->rule.ok = row->rule.output;
    else
        row->rule.ok.template = row->ok ? row->ok : default_ok(reading);
}

/* --- the whole */

static bool read_action(struct reading *reading)
{
    const struct document_node *action = document_find(reading->node, "do");
    int at;

    if (!action) {
        faults_add(reading->faults, reading->node->place, NULL,
                   "a command needs do: what is done");
        return false;
    }
    if (action->kind == DOCUMENT_SCALAR && slice_is(action->text, "forward")) {
        faults_add(reading->faults, action->place, NULL,
                   "do: forward needs hooks, which are not part of this version");
        return false;
    }
    at = rule_word(action, "do", action_words, COMMAND_ACTION_COUNT, reading->faults);
    if (at >= 0)
        reading->row->rule.action = (enum command_action)at;
    return at >= 0;
}

void command_row_compile(struct command_row *row, const struct document_entry *entry,
                         const struct ack_rules *acks, const struct rate_rules *rates,
                         struct faults *faults)
{
    struct reading reading = {
        .row = row, .node = &entry->value, .acks = acks, .faults = faults};
    const struct document_node *limit = document_find(&entry->value, "limit");

    row->name = slice_dup(entry->key);
    row->rule.name = slice_of(row->name);
    if (!row->name)
        rule_no_memory(entry->place, faults);
    if (entry->value.kind != DOCUMENT_MAP) {
        faults_add(faults, entry->value.place, NULL,
                   "a command is a map: {do: join, room: \"…\"}");
        return;
    }
    reading.has_action = read_action(&reading);
    take_keys(&reading);
    read_args(&reading);
    read_room(&reading);
    read_allow(&reading);
    read_event(&reading);
    read_output(&reading);
    default_output(&reading);
    read_switches(&reading);
    read_ack(&reading);
    if (limit && rates)
        row->rule.limit = rate_rules_find(rates, limit, faults);
}

void command_row_finish(struct command_row *row)
{
    for (size_t i = 0; i < row->rule.allow_count; i++)
        template_destroy(row->allow[i]);
    free(row->allow);
    command_args_destroy(row->args);
    template_destroy(row->room);
    template_destroy(row->output);
    template_destroy(row->ok);
    template_destroy(row->error);
    free(row->name);
    free(row->event);
    free(row->event_json);
}

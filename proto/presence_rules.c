/* What is told of users: see the header. */
#include "proto/presence_rules.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>
#include <string.h>

enum {
    SOURCES = TEMPLATE_BIT(TEMPLATE_USER) | TEMPLATE_BIT(TEMPLATE_SEEN) |
              TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID),
    ROOM_SOURCES = TEMPLATE_BIT(TEMPLATE_USER),
    GRACE_MS = 10000,
};

struct row {
    char *name, *name_json;
    struct template *payload;
};

struct presence_rules {
    struct row rows[2]; /* offline, online */
    struct template **to;
    size_t to_count;
    uint64_t grace_ms;
    bool keeps_last_seen;
};

/* --- compiling --- */

/* The publisher knows of a user what the directory knows: the id. */
struct user_check {
    struct place place;
    struct faults *faults;
};

static void check_user(void *ctx, enum template_source source, const char *const *names,
                       size_t count, struct slice text)
{
    const struct user_check *check = ctx;

    if (source == TEMPLATE_USER && (count != 1 || strcmp(names[0], "id") != 0))
        faults_add(check->faults, check->place, NULL,
                   "{%.*s}: of a user, presence knows user.id and user.last_seen",
                   (int)text.len, text.ptr);
}

static struct template *checked(struct template *template,
                                const struct document_node *node, struct faults *faults)
{
    struct user_check check = {node->place, faults};

    if (template)
        template_each(template, check_user, &check);
    return template;
}

static struct template *payload_of(const struct document_node *node,
                                   struct faults *faults)
{
    struct template *template =
        checked(template_of_json(node, SOURCES, faults), node, faults);

    if (template && template_fans_out(template))
        faults_add(faults, node->place, NULL,
                   "a payload is one value: write a list around what fans out");
    return template;
}

/* Of an event that has none: {"user": ID}. */
static struct template *usual_payload(struct place place, struct faults *faults)
{
    struct document_entry entry = {
        .key = SLICE("user"),
        .place = place,
        .value = {.kind = DOCUMENT_SCALAR, .place = place, .text = SLICE("{user.id}")},
    };
    const struct document_node node = {
        .kind = DOCUMENT_MAP, .place = place, .entries = &entry, .count = 1};

    return template_of_json(&node, SOURCES, faults);
}

static char *json_of(const char *name, struct place place, struct faults *faults)
{
    struct buf json = {.max = 8 * LIMIT_EVENT_NAME_BYTES};

    buf_add_json_string(&json, slice_of(name));
    buf_add_byte(&json, '\0');
    if (!buf_status(&json))
        return buf_release(&json);
    buf_finish(&json);
    rule_no_memory(place, faults);
    return NULL;
}

static void read_row(struct row *row, const struct document_node *node, const char *what,
                     struct faults *faults)
{
    const struct document_node *event = node, *payload = NULL;

    if (!node)
        return;
    if (node->kind == DOCUMENT_MAP) {
        event = document_find(node, "event");
        payload = document_find(node, "payload");
    }
    if (!event || event->kind != DOCUMENT_SCALAR) {
        faults_add(faults, node->place, NULL,
                   "presence.%s is an event's name, or a map: event, payload", what);
        return;
    }
    row->name = rule_event_name(event, what, faults);
    if (row->name)
        row->name_json = json_of(row->name, event->place, faults);
    row->payload =
        payload ? payload_of(payload, faults) : usual_payload(node->place, faults);
}

static void add_room(struct presence_rules *rules, const struct document_node *node,
                     struct faults *faults)
{
    rules->to[rules->to_count] =
        checked(template_of_room(node, ROOM_SOURCES, faults), node, faults);
    if (rules->to[rules->to_count])
        rules->to_count++;
}

static void read_rooms(struct presence_rules *rules, const struct document_node *node,
                       struct faults *faults)
{
    bool is_list = node->kind == DOCUMENT_LIST;
    size_t count = is_list ? node->count : 1;

    if (node->kind == DOCUMENT_MAP || count == 0 || count > LIMIT_TARGETS) {
        faults_add(faults, node->place, NULL,
                   "presence.to is all, a room, or a list of 1 to 1,000 rooms");
        return;
    }
    rules->to = calloc(count, sizeof(struct template *));
    if (!rules->to)
        rule_no_memory(node->place, faults);
    for (size_t i = 0; rules->to && i < count; i++)
        add_room(rules, is_list ? &node->items[i] : node, faults);
}

/* Absent: everybody. */
static void read_to(struct presence_rules *rules, const struct document_node *presence,
                    struct faults *faults)
{
    const struct document_node *to = document_find(presence, "to");
    bool says_all = !to || (to->kind == DOCUMENT_SCALAR && slice_is(to->text, "all"));
    struct document_node node = to ? *to : *presence;

    if (says_all) {
        node.kind = DOCUMENT_SCALAR;
        node.text = SLICE("*");
    }
    read_rooms(rules, &node, faults);
    if (to && !rules->rows[false].name && !rules->rows[true].name)
        faults_add(faults, to->place, NULL,
                   "presence.to needs an event: presence.online, presence.offline");
}

static void read_switches(struct presence_rules *rules, const struct document_node *node,
                          struct faults *faults)
{
    const struct document_node *grace = document_find(node, "grace");
    const struct document_node *last_seen = document_find(node, "last_seen");
    const struct document_node *away = document_find(node, "away");

    if (grace)
        rule_duration(grace, "presence.grace", &rules->grace_ms, faults);
    if (last_seen)
        rule_switch(last_seen, "presence.last_seen", &rules->keeps_last_seen, faults);
    if (away)
        faults_add(faults, away->place, NULL, "presence.away is not built yet");
}

/* {user.last_seen} is known where it is kept. */
static void check_last_seen(const struct presence_rules *rules,
                            const struct document_node *node, struct faults *faults)
{
    for (int i = 0; i < 2 && !rules->keeps_last_seen; i++)
        if (rules->rows[i].payload &&
            template_uses(rules->rows[i].payload) & TEMPLATE_BIT(TEMPLATE_SEEN))
            faults_add(faults, node->place, NULL,
                       "presence.%s has {user.last_seen}: switch presence.last_seen on",
                       i ? "online" : "offline");
}

static void compile(struct presence_rules *rules, const struct document_node *node,
                    struct faults *faults)
{
    rules->grace_ms = GRACE_MS;
    if (!rule_map(node, "presence is a map: online, offline, to, grace, last_seen",
                  faults) ||
        !node)
        return;
    read_row(&rules->rows[true], document_find(node, "online"), "online", faults);
    read_row(&rules->rows[false], document_find(node, "offline"), "offline", faults);
    read_to(rules, node, faults);
    read_switches(rules, node, faults);
    check_last_seen(rules, node, faults);
}

struct presence_rules *presence_rules_compile(const struct document_node *node,
                                              struct faults *faults)
{
    struct presence_rules *rules = calloc(1, sizeof *rules);
    size_t faults_before = rule_fault_count(faults);

    if (!rules) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    compile(rules, node, faults);
    if (rule_fault_count(faults) == faults_before)
        return rules;
    presence_rules_destroy(rules);
    return NULL;
}

void presence_rules_destroy(struct presence_rules *rules)
{
    if (!rules)
        return;
    for (int i = 0; i < 2; i++) {
        free(rules->rows[i].name);
        free(rules->rows[i].name_json);
        template_destroy(rules->rows[i].payload);
    }
    for (size_t i = 0; i < rules->to_count; i++)
        template_destroy(rules->to[i]);
    free(rules->to);
    free(rules);
}

/* --- asking --- */

bool presence_rules_are_on(const struct presence_rules *rules)
{
    return rules->keeps_last_seen || rules->rows[false].name || rules->rows[true].name;
}

bool presence_rules_keep_last_seen(const struct presence_rules *rules)
{
    return rules->keeps_last_seen;
}

uint64_t presence_rules_grace_ms(const struct presence_rules *rules)
{
    return rules->grace_ms;
}

struct presence_event presence_rules_event(const struct presence_rules *rules,
                                           bool is_online)
{
    const struct row *row = &rules->rows[is_online];

    return (struct presence_event){row->name, row->name_json, row->payload};
}

enum status presence_rules_rooms(const struct presence_rules *rules,
                                 const struct template_values *values,
                                 struct buf *scratch, template_room_fn *visit, void *ctx,
                                 struct template_failure *failure)
{
    enum status st = ST_OK;

    for (size_t i = 0; !st && i < rules->to_count; i++)
        st = template_rooms(rules->to[i], values, scratch, visit, ctx, failure);
    return st;
}

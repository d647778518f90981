/* What happens at connect: see the header. */
#include "proto/connect_rules.h"

#include "proto/rule_node.h"

#include <stdlib.h>

enum {
    /* Rooms are asked for again when a newer token comes, which brings claims only. */
    ROOM_SOURCES = TEMPLATE_BIT(TEMPLATE_CLAIMS) | TEMPLATE_BIT(TEMPLATE_USER),
    EMIT_SOURCES = ROOM_SOURCES | TEMPLATE_BIT(TEMPLATE_AUTH) |
                   TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_NOW) |
                   TEMPLATE_BIT(TEMPLATE_UUID) | TEMPLATE_BIT(TEMPLATE_SEEN),
};

struct connect_rules {
    struct template **rooms;
    size_t room_count;
    struct emission_list *emits;
};

static void read_rooms(struct connect_rules *rules, const struct document_node *list,
                       struct faults *faults)
{
    if (!list)
        return;
    if (list->kind != DOCUMENT_LIST) {
        faults_add(faults, list->place, NULL, "connect.auto_join is a list of rooms");
        return;
    }
    rules->rooms = calloc(list->count + 1, sizeof *rules->rooms);
    if (!rules->rooms)
        rule_no_memory(list->place, faults);
    for (size_t i = 0; rules->rooms && i < list->count; i++)
        rules->rooms[rules->room_count++] =
            template_of_room(&list->items[i], ROOM_SOURCES, faults);
}

struct connect_rules *connect_rules_compile(const struct document_node *node,
                                            struct faults *faults)
{
    struct connect_rules *rules = calloc(1, sizeof *rules);
    size_t faults_before = rule_fault_count(faults);
    const struct document_node *hook = document_find(node, "hook");

    if (!rules) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    rule_map(node, "connect is a map: auto_join, emit", faults);
    if (hook)
        faults_add(faults, hook->place, NULL, "connect.hook is not built yet");
    read_rooms(rules, document_find(node, "auto_join"), faults);
    rules->emits = emission_list_compile(document_find(node, "emit"), "connect.emit",
                                         EMIT_SOURCES, faults);
    if (rule_fault_count(faults) == faults_before)
        return rules;
    connect_rules_destroy(rules);
    return NULL;
}

void connect_rules_destroy(struct connect_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->room_count; i++)
        template_destroy(rules->rooms[i]);
    free(rules->rooms);
    emission_list_destroy(rules->emits);
    free(rules);
}

unsigned connect_rules_uses(const struct connect_rules *rules)
{
    unsigned uses = emission_uses(rules->emits);

    for (size_t i = 0; i < rules->room_count; i++)
        uses |= template_uses(rules->rooms[i]);
    return uses;
}

const struct emission_list *connect_rules_emits(const struct connect_rules *rules)
{
    return rules->emits;
}

enum status connect_rules_rooms(const struct connect_rules *rules,
                                const struct template_values *values, struct buf *scratch,
                                template_room_fn *visit, void *ctx,
                                struct template_failure *failure)
{
    enum status st = ST_OK;

    for (size_t i = 0; !st && i < rules->room_count; i++)
        st = template_rooms(rules->rooms[i], values, scratch, visit, ctx, failure);
    return st;
}

/* Heartbeats of applications: see the header. */
#include "proto/beat_rules.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>

struct beat_rules {
    struct beat_rule *rows;
    size_t count;
};

static void read_emit(struct beat_rule *row, const struct document_node *node,
                      struct place place, struct faults *faults)
{
    struct buf json = {.max = 6 * LIMIT_EVENT_NAME_BYTES + 2};
    char *name = NULL;

    if (!node)
        faults_add(faults, place, NULL, "a heartbeat needs emit: the event");
    else
        name = rule_event_name(node, "emit", faults);
    if (!name)
        return;
    buf_add_json_string(&json, slice_of(name));
    free(name);
    if (buf_status(&json))
        rule_no_memory(place, faults);
    row->event_json = (struct slice){json.ptr, json.len};
}

static void read_answer(struct beat_rule *row, const struct document_node *node,
                        struct faults *faults)
{
    const struct document_node *ack = document_find(node, "ack");
    const struct document_node *expect = document_find(node, "expect");
    char *name = expect ? rule_event_name(expect, "expect", faults) : NULL;

    row->expects = slice_of(name);
    if (ack)
        rule_switch(ack, "ack", &row->wants_ack, faults);
    if (row->wants_ack && expect)
        faults_add(faults, expect->place, NULL,
                   "a heartbeat is answered by an ack or by an event, not by both");
}

static void compile_row(struct beat_rule *row, const struct document_node *node,
                        struct faults *faults)
{
    const struct document_node *every = document_find(node, "every");

    if (node->kind != DOCUMENT_MAP) {
        faults_add(faults, node->place, NULL,
                   "a heartbeat is a map: {emit: server_ping, every: 25s, ack: on}");
        return;
    }
    read_emit(row, document_find(node, "emit"), node->place, faults);
    if (every)
        rule_duration(every, "every", &row->every_ms, faults);
    else
        faults_add(faults, node->place, NULL, "a heartbeat needs every: a duration");
    read_answer(row, node, faults);
}

static bool is_list(const struct document_node *node, struct faults *faults)
{
    if (node->kind != DOCUMENT_LIST)
        faults_add(faults, node->place, NULL, "heartbeats is a list");
    else if (node->count > BEAT_RULES_MAX)
        faults_add(faults, node->place, NULL, "there are at most %d heartbeats",
                   BEAT_RULES_MAX);
    else
        return true;
    return false;
}

struct beat_rules *beat_rules_compile(const struct document_node *heartbeats,
                                      struct faults *faults)
{
    struct beat_rules *rules = calloc(1, sizeof *rules);
    size_t before = rule_fault_count(faults);
    size_t count = heartbeats && is_list(heartbeats, faults) ? heartbeats->count : 0;

    if (rules)
        rules->rows = calloc(count + 1, sizeof *rules->rows);
    if (!rules || !rules->rows)
        rule_no_memory((struct place){0}, faults);
    for (size_t i = 0; rules && rules->rows && i < count; i++)
        compile_row(&rules->rows[rules->count++], &heartbeats->items[i], faults);
    if (rule_fault_count(faults) == before)
        return rules;
    beat_rules_destroy(rules);
    return NULL;
}

void beat_rules_destroy(struct beat_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++) {
        free((char *)rules->rows[i].event_json.ptr);
        free((char *)rules->rows[i].expects.ptr);
    }
    free(rules->rows);
    free(rules);
}

size_t beat_rules_count(const struct beat_rules *rules)
{
    return rules->count;
}

const struct beat_rule *beat_rules_at(const struct beat_rules *rules, size_t i)
{
    return &rules->rows[i];
}

int beat_rules_expecting(const struct beat_rules *rules, struct slice event)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rows[i].expects.len > 0 && slice_equal(rules->rows[i].expects, event))
            return (int)i;
    return -1;
}

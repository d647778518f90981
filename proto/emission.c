/* Emissions: see the header. */
#include "proto/emission.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>

struct emission {
    char *event_json;
    struct template *payload; /* NULL: none */
};

struct emission_list {
    struct emission *rows;
    size_t count;
};

static char *json_of(const char *name)
{
    struct buf json = {.max = 8 * LIMIT_EVENT_NAME_BYTES};

    buf_add_json_string(&json, slice_of(name));
    buf_add_byte(&json, '\0');
    if (buf_status(&json) == ST_OK)
        return buf_release(&json);
    buf_finish(&json);
    return NULL;
}

static void compile_event(struct emission *row, const struct document_node *event,
                          const char *what, struct faults *faults)
{
    char *name = rule_event_name(event, what, faults);

    if (!name)
        return;
    row->event_json = json_of(name);
    free(name);
    if (!row->event_json)
        rule_no_memory(event->place, faults);
}

static void compile_row(struct emission *row, const struct document_node *node,
                        const char *what, unsigned sources, struct faults *faults)
{
    const struct document_node *event = document_find(node, "event");
    const struct document_node *payload = document_find(node, "payload");

    if (node->kind == DOCUMENT_SCALAR)
        event = node;
    if (!event) {
        faults_add(faults, node->place, NULL,
                   "%s is an event's name, or a map: event, payload", what);
        return;
    }
    compile_event(row, event, what, faults);
    if (payload)
        row->payload = template_of_json(payload, sources, faults);
}

struct emission_list *emission_list_compile(const struct document_node *node,
                                            const char *what, unsigned sources,
                                            struct faults *faults)
{
    struct emission_list *list = calloc(1, sizeof *list);
    size_t faults_before = rule_fault_count(faults);
    bool is_list = node && node->kind == DOCUMENT_LIST;
    size_t count = is_list ? node->count : node != NULL;

    if (list)
        list->rows = calloc(count ? count : 1, sizeof *list->rows);
    if (!list || !list->rows) {
        rule_no_memory(node ? node->place : (struct place){0}, faults);
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        list->count++;
        compile_row(&list->rows[i], is_list ? &node->items[i] : node, what, sources,
                    faults);
    }
    if (rule_fault_count(faults) == faults_before)
        return list;
    emission_list_destroy(list);
    return NULL;
}

void emission_list_destroy(struct emission_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++) {
        free(list->rows[i].event_json);
        template_destroy(list->rows[i].payload);
    }
    free(list->rows);
    free(list);
}

size_t emission_count(const struct emission_list *list)
{
    return list->count;
}

unsigned emission_uses(const struct emission_list *list)
{
    unsigned uses = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].payload)
            uses |= template_uses(list->rows[i].payload);
    return uses;
}

struct slice emission_event(const struct emission_list *list, size_t n)
{
    return slice_of(list->rows[n].event_json);
}

enum status emission_args(const struct emission_list *list, size_t n,
                          const struct template_values *values, struct buf *out,
                          struct template_failure *failure)
{
    const struct template *payload = list->rows[n].payload;

    return payload ? template_json(payload, values, out, failure) : ST_OK;
}

/* How commands answer: see the header. */
#include "proto/ack_rules.h"

#include "proto/command_sources.h"
#include "proto/json_document.h"
#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_JSON_BYTES = 6 * LIMIT_EVENT_NAME_BYTES + 2,
};

struct ack_rules {
    struct template *ok; /* NULL: the file has none */
    struct template *error;
    struct template *plain_ok, *plain_ok_room, *plain_error, *result;
    char *error_event; /* a JSON string */
    char *ack_words[ST_COUNT];
    char *event_words[ST_COUNT];
};

struct template *ack_rules_builtin(const char *json, unsigned sources,
                                   struct faults *faults)
{
    struct document_node node;
    struct template *template = NULL;

    if (!json_document_read("built in", slice_of(json), &node, faults))
        return NULL;
    template = template_of_json(&node, sources, faults);
    document_finish(&node);
    return template;
}

static void read_templates(struct ack_rules *rules, const struct document_node *ack,
                           struct faults *faults)
{
    static const char error[] =
        "{\"ok\":false,\"error\":\"{code}\",\"message\":\"{message}\"}";
    const struct document_node *own_ok = document_find(ack, "ok");
    const struct document_node *own_error = document_find(ack, "error");

    rules->plain_ok = ack_rules_builtin("{\"ok\":true}", 0, faults);
    rules->plain_ok_room = ack_rules_builtin("{\"ok\":true,\"room\":\"{room}\"}",
                                             TEMPLATE_BIT(TEMPLATE_ROOM), faults);
    rules->result =
        ack_rules_builtin("\"{payload}\"", TEMPLATE_BIT(TEMPLATE_PAYLOAD), faults);
    rules->plain_error = ack_rules_builtin(error, ACK_ERROR_SOURCES, faults);
    if (own_ok)
        rules->ok = template_of_json(own_ok, COMMAND_SOURCES | ACK_OK_SOURCES, faults);
    if (own_error)
        rules->error = template_of_json(own_error, ACK_ERROR_SOURCES, faults);
}

static char *json_of_name(struct slice name)
{
    struct buf json = {.max = NAME_JSON_BYTES + 1};

    buf_add_json_string(&json, name);
    buf_add_byte(&json, '\0');
    if (!buf_status(&json))
        return buf_release(&json);
    buf_finish(&json);
    return NULL;
}

static void read_error_event(struct ack_rules *rules, const struct document_node *node,
                             struct faults *faults)
{
    struct slice name = SLICE("error");
    char *own = NULL;

    if (node) {
        own = rule_event_name(node, "error_event", faults);
        name = slice_of(own);
    }
    rules->error_event = json_of_name(name);
    free(own);
    if (!rules->error_event)
        rule_no_memory((struct place){0}, faults);
}

/* Every code once: several statuses may share one. Gives how many. */
static size_t list_codes(const char *codes[ST_COUNT])
{
    size_t count = 0;

    for (int st = ST_BAD_REQUEST; st < ST_COUNT; st++) {
        size_t i = 0;
        while (i < count && strcmp(codes[i], status_code((enum status)st)) != 0)
            i++;
        if (i == count)
            codes[count++] = status_code((enum status)st);
    }
    return count;
}

static void read_word(char *words[ST_COUNT], const struct document_entry *entry,
                      struct faults *faults)
{
    const char *codes[ST_COUNT] = {NULL};
    size_t count = list_codes(codes);
    bool is_known = false;

    if (entry->value.kind != DOCUMENT_SCALAR) {
        faults_add(faults, entry->value.place, NULL, "a code is told by one word");
        return;
    }
    for (int st = ST_BAD_REQUEST; st < ST_COUNT; st++) {
        if (!slice_is(entry->key, status_code((enum status)st)))
            continue;
        is_known = true;
        words[st] = slice_dup(entry->value.text);
        if (!words[st])
            rule_no_memory(entry->place, faults);
    }
    if (!is_known)
        faults_add_word(faults, entry->place, "no code is called", entry->key, codes,
                        count);
}

static void read_words(char *words[ST_COUNT], const struct document_node *map,
                       struct faults *faults)
{
    if (!rule_map(map, "codes are a map: our code to the system's word", faults))
        return;
    for (size_t i = 0; map && i < map->count; i++)
        read_word(words, &map->entries[i], faults);
}

struct ack_rules *ack_rules_compile(const struct document_node *root,
                                    struct faults *faults)
{
    struct ack_rules *rules = calloc(1, sizeof *rules);
    size_t before = rule_fault_count(faults);
    const struct document_node *ack = document_find(root, "ack");
    const struct document_node *codes = document_find(root, "codes");

    if (!rules) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    rule_map(ack, "ack is a map: ok, error", faults);
    rule_map(codes, "codes is a map: ack, event", faults);
    read_templates(rules, ack, faults);
    read_error_event(rules, document_find(root, "error_event"), faults);
    read_words(rules->ack_words, document_find(codes, "ack"), faults);
    read_words(rules->event_words, document_find(codes, "event"), faults);
    if (rule_fault_count(faults) == before)
        return rules;
    ack_rules_destroy(rules);
    return NULL;
}

void ack_rules_destroy(struct ack_rules *rules)
{
    if (!rules)
        return;
    struct template *const templates[] = {rules->ok,          rules->error,
                                          rules->plain_ok,    rules->plain_ok_room,
                                          rules->plain_error, rules->result};
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        template_destroy(templates[i]);
    for (int st = 0; st < ST_COUNT; st++) {
        free(rules->ack_words[st]);
        free(rules->event_words[st]);
    }
    free(rules->error_event);
    free(rules);
}

const struct template *ack_rules_ok(const struct ack_rules *rules)
{
    return rules->ok;
}

const struct template *ack_rules_error(const struct ack_rules *rules)
{
    return rules->error ? rules->error : rules->plain_error;
}

const struct template *ack_rules_plain_error(const struct ack_rules *rules)
{
    return rules->plain_error;
}

const struct template *ack_rules_plain_ok(const struct ack_rules *rules, bool has_room)
{
    return has_room ? rules->plain_ok_room : rules->plain_ok;
}

const struct template *ack_rules_result(const struct ack_rules *rules)
{
    return rules->result;
}

struct slice ack_rules_error_event(const struct ack_rules *rules)
{
    return slice_of(rules->error_event);
}

const char *ack_rules_ack_code(const struct ack_rules *rules, enum status status)
{
    return rules->ack_words[status] ? rules->ack_words[status] : status_code(status);
}

const char *ack_rules_event_code(const struct ack_rules *rules, enum status status)
{
    return rules->event_words[status] ? rules->event_words[status] : status_code(status);
}

unsigned ack_rules_uses(const struct ack_rules *rules)
{
    unsigned uses = template_uses(ack_rules_error(rules));

    return rules->ok ? uses | template_uses(rules->ok) : uses;
}

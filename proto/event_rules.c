/* The catalog of events: see the header. Rows are read in event_rules_row.c. */
#include "proto/event_rules_parts.h"

#include "proto/limits.h"
#include "proto/suggest.h"

#include <stdlib.h>
#include <string.h>

static bool out_of_memory(struct faults *faults)
{
    faults_add(faults, (struct place){0}, NULL, "out of memory");
    return false;
}

/* --- rows */

/* A place in the file that named it; of a contract's file: none in a line. */
static struct event_rule *add_rule(struct event_rules *rules, struct slice name,
                                   struct place place, struct faults *faults)
{
    const char *fault = event_name_fault(name);
    struct event_rule *rule = &rules->rules[rules->count];

    if (fault) {
        faults_add(faults, place, NULL, "%s", fault);
        return NULL;
    }
    rules->count++;
    if (event_word_set(&rule->name, name))
        return rule;
    out_of_memory(faults);
    return NULL;
}

static void add_key(struct event_rules *rules, const char *name,
                    const struct event_rule *rule, struct place place)
{
    rules->keys[rules->key_count++] = (struct event_key){name, rule, place};
}

static size_t words_of(const struct document_node *list)
{
    return list && list->kind == DOCUMENT_LIST ? list->count : 1;
}

/* As many keys as the file can give, its contracts included. */
static size_t count_keys(const struct event_sources *sources, size_t file_count)
{
    size_t keys = file_count;

    for (size_t i = 0; sources->events && i < sources->events->count; i++) {
        const struct document_node *row = &sources->events->entries[i].value;
        keys += 1 + words_of(document_find(row, "aliases"));
    }
    return keys;
}

static bool read_row(struct event_rules *rules, const struct event_sources *sources,
                     const struct document_entry *entry, struct faults *faults)
{
    const struct document_node *row = &entry->value;
    const struct document_node *aliases = document_find(row, "aliases");
    bool is_empty = row->kind == DOCUMENT_SCALAR && row->text.len == 0;

    if (row->kind != DOCUMENT_MAP && !is_empty) {
        faults_add(faults, row->place, NULL,
                   "an event is a map: contract, to, envelope, …");
        return false;
    }
    struct event_rule *rule = add_rule(rules, entry->key, entry->place, faults);
    if (!rule || !event_row_read(row, sources->contracts, rule, faults))
        return false;
    add_key(rules, rule->name.text, rule, entry->place);
    for (size_t i = 0; i < rule->aliases.count; i++) {
        bool is_list = aliases->kind == DOCUMENT_LIST;
        add_key(rules, rule->aliases.items[i].text, rule,
                is_list ? aliases->items[i].place : aliases->place);
    }
    return true;
}

/* --- events that only a file of a contract names */

static bool row_names_file(const struct document_entry *entry, const char *file)
{
    const struct document_node *contract = document_find(&entry->value, "contract");

    return contract && contract->kind == DOCUMENT_SCALAR &&
           slice_is(contract->text, file);
}

/* A file that a row names, or whose event has a row, makes no event of its own. */
static bool is_taken(const struct event_sources *sources, const char *file,
                     struct slice event)
{
    const struct document_node *events = sources->events;

    for (size_t i = 0; events && i < events->count; i++)
        if (slice_equal(events->entries[i].key, event) ||
            row_names_file(&events->entries[i], file))
            return true;
    return false;
}

static bool read_file(struct event_rules *rules, const struct event_sources *sources,
                      const char *file, struct faults *faults)
{
    struct buf event = {.max = LIMIT_CONFIG_BYTES};
    struct place place = contract_set_schema(sources->contracts, slice_of(file))->place;
    bool is_good = contract_file_event(slice_of(file), &event) && !buf_status(&event);

    if (!is_good) {
        faults_add(
            faults, place, NULL,
            "the name of this file is no event's: EVENT.schema.json, with %%3A for "
            "':' and %%2F for '/'");
    } else if (!is_taken(sources, file, buf_slice(&event))) {
        struct event_rule *rule = add_rule(rules, buf_slice(&event), place, faults);
        is_good = rule != NULL;
        if (rule) {
            rule->contract = contract_set_find(sources->contracts, slice_of(file));
            add_key(rules, rule->name.text, rule, place);
        }
    }
    buf_finish(&event);
    return is_good;
}

/* --- all together */

static int compare_keys(const void *left, const void *right)
{
    const struct event_key *a = left, *b = right;

    return strcmp(a->name, b->name);
}

/* Two events of one name: the place of the later one is told. */
static bool sort_keys(struct event_rules *rules, struct faults *faults)
{
    bool is_good = true;

    if (rules->key_count > 0)
        qsort(rules->keys, rules->key_count, sizeof *rules->keys, compare_keys);
    for (size_t i = 0; i < rules->key_count; i++) {
        struct event_key *key = &rules->keys[i];
        rules->names[i] = key->name;
        if (i == 0 || strcmp(key->name, key[-1].name) != 0)
            continue;
        bool is_later = key->place.line > key[-1].place.line;
        faults_add(faults, is_later ? key->place : key[-1].place, NULL,
                   "\"%s\" is the name of another event already", key->name);
        is_good = false;
    }
    for (size_t i = 0; i < rules->key_count; i++)
        rules->keys[i].place = (struct place){0};
    return is_good;
}

static bool read_unknown(struct event_rules *rules, const struct event_sources *sources,
                         struct faults *faults)
{
    static const char *const words[] = {"deny", "allow"};
    const struct document_node *node = sources->unknown_events;

    rules->denies_unknown = sources->contracts != NULL;
    if (!node)
        return true;
    rules->denies_unknown = node->kind == DOCUMENT_SCALAR && slice_is(node->text, "deny");
    if (rules->denies_unknown ||
        (node->kind == DOCUMENT_SCALAR && slice_is(node->text, "allow")))
        return true;
    faults_add_word(faults, node->place, "unknown_events is deny or allow, not",
                    node->kind == DOCUMENT_SCALAR ? node->text : SLICE(""), words, 2);
    return false;
}

/* Rows without a shape of their own have the one of all. */
static bool read_envelope(struct event_rules *rules, const struct event_sources *sources,
                          struct faults *faults)
{
    if (!sources->envelope)
        return true;
    rules->envelope = event_envelope_compile(sources->envelope, faults);
    rules->other.shape = rules->envelope;
    for (size_t i = 0; i < rules->count; i++)
        if (!rules->rules[i].shape)
            rules->rules[i].shape = rules->envelope;
    return rules->envelope != NULL;
}

static bool make_room(struct event_rules *rules, const struct event_sources *sources,
                      size_t file_count, struct faults *faults)
{
    size_t rows = sources->events ? sources->events->count : 0;
    size_t keys = count_keys(sources, file_count);

    rules->rules = calloc(rows + file_count + 1, sizeof *rules->rules);
    rules->keys = calloc(keys + 1, sizeof *rules->keys);
    rules->names = calloc(keys + 1, sizeof *rules->names);
    return (rules->rules && rules->keys && rules->names) || out_of_memory(faults);
}

static bool fill(struct event_rules *rules, const struct event_sources *sources,
                 struct faults *faults)
{
    const struct document_node *events = sources->events;
    size_t file_count;
    const char *const *files = contract_set_files(sources->contracts, &file_count);
    bool is_good = true;

    if (!make_room(rules, sources, file_count, faults))
        return false;
    for (size_t i = 0; events && i < events->count; i++)
        is_good &= read_row(rules, sources, &events->entries[i], faults);
    for (size_t i = 0; i < file_count; i++)
        is_good &= read_file(rules, sources, files[i], faults);
    is_good &= sort_keys(rules, faults);
    is_good &= read_unknown(rules, sources, faults);
    is_good &= read_envelope(rules, sources, faults);
    return is_good;
}

struct event_sources event_sources_of(const struct document_node *root,
                                      const struct contract_set *contracts)
{
    return (struct event_sources){
        .events = document_find(root, "events"),
        .unknown_events = document_find(root, "unknown_events"),
        .envelope = document_find(root, "envelope"),
        .contracts = contracts,
    };
}

struct event_rules *event_rules_compile(const struct event_sources *sources,
                                        struct faults *faults)
{
    const struct document_node *events = sources->events;
    struct event_rules *rules;

    if (events && events->kind != DOCUMENT_MAP) {
        faults_add(faults, events->place, NULL, "events is a map of events by name");
        return NULL;
    }
    rules = calloc(1, sizeof *rules);
    if (!rules)
        out_of_memory(faults);
    else if (fill(rules, sources, faults))
        return rules;
    event_rules_destroy(rules);
    return NULL;
}

void event_rules_destroy(struct event_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        event_rule_finish(&rules->rules[i]);
    free(rules->rules);
    free(rules->keys);
    free(rules->names);
    template_destroy(rules->envelope);
    free(rules);
}

/* --- asking */

/* A name may hold NUL when it comes from a peer; those of the file do not. */
static int compare_name(struct slice name, const char *key)
{
    size_t len = strlen(key), least = name.len < len ? name.len : len;
    int order = least ? memcmp(name.ptr, key, least) : 0;

    return order ? order : (name.len > len) - (name.len < len);
}

const struct event_rule *event_rules_find(const struct event_rules *rules,
                                          struct slice event, const char **meant)
{
    size_t low = 0, high = rules->key_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_name(event, rules->keys[middle].name);
        if (order == 0)
            return rules->keys[middle].rule;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (!rules->denies_unknown)
        return &rules->other;
    if (meant)
        *meant = suggest_nearest(event, rules->names, rules->key_count);
    return NULL;
}

struct slice event_rule_name(const struct event_rule *rule)
{
    return slice_of(rule->name.text);
}

enum status event_rule_check(const struct event_rule *rule, struct slice payload,
                             struct contract_report *report)
{
    static const struct contract_error missing = {
        .pointer = "", .detail = "is missing", .expected = "a payload"};

    report->count = 0;
    if (!rule->contract)
        return ST_OK;
    if (payload.len > 0)
        return contract_holds(rule->contract, payload, report) ? ST_OK : ST_BAD_PAYLOAD;
    report->errors[report->count++] = missing;
    return ST_BAD_PAYLOAD;
}

bool event_rule_is_restricted(const struct event_rule *rule)
{
    return rule->publish.count > 0;
}

bool event_rule_names_publisher(const struct event_rule *rule, struct slice word)
{
    for (size_t i = 0; i < rule->publish.count; i++)
        if (slice_is(word, rule->publish.items[i].text))
            return true;
    return false;
}

size_t event_rule_emit_count(const struct event_rule *rule)
{
    return rule->emit_as.count;
}

struct event_name event_rule_emit_name(const struct event_rule *rule, size_t at)
{
    const struct event_word *word = &rule->emit_as.items[at];

    return (struct event_name){slice_of(word->text), slice_of(word->json)};
}

bool event_rule_uses_uuid(const struct event_rule *rule)
{
    unsigned uses = rule->shape ? template_uses(rule->shape) : 0;

    for (size_t i = 0; i < rule->to_count; i++)
        uses |= template_uses(rule->to[i]);
    return uses & TEMPLATE_BIT(TEMPLATE_UUID);
}

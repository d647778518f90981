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

/* What the catalog is made of. */
struct sources {
    const struct document_node *root, *events;
    const struct system_files *files;
    struct faults *faults;
};

/* --- rows */

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

static bool read_row(struct event_rules *rules, const struct sources *sources,
                     const struct document_entry *entry)
{
    const struct document_node *row = &entry->value;
    const struct document_node *aliases = document_find(row, "aliases");
    bool is_empty = row->kind == DOCUMENT_SCALAR && row->text.len == 0;

    if (row->kind != DOCUMENT_MAP && !is_empty) {
        faults_add(sources->faults, row->place, NULL,
                   "an event is a map: contract, to, envelope, …");
        return false;
    }
    struct event_rule *rule = add_rule(rules, entry->key, entry->place, sources->faults);
    if (!rule || !event_row_read(row, sources->files, rule, sources->faults))
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

/* A file that a row names, or whose event has a row, makes no event of its own. */
static bool is_taken(const struct document_node *events, struct slice event,
                     struct slice file)
{
    for (size_t i = 0; events && i < events->count; i++) {
        const struct document_node *contract =
            document_find(&events->entries[i].value, "contract");
        if (slice_equal(events->entries[i].key, event) ||
            (contract && contract->kind == DOCUMENT_SCALAR &&
             slice_equal(contract->text, file)))
            return true;
    }
    return false;
}

static bool read_file(struct event_rules *rules, const struct sources *sources,
                      struct slice event)
{
    struct buf file = {.max = LIMIT_CONFIG_BYTES};
    struct place place = document_find(sources->root, "contracts")
                             ? document_find(sources->root, "contracts")->place
                             : sources->root->place;
    bool is_good = true;

    event_contract_file(event, &file);
    if (buf_status(&file)) {
        is_good = out_of_memory(sources->faults);
    } else if (!is_taken(sources->events, event, buf_slice(&file))) {
        struct event_rule *rule = add_rule(rules, event, place, sources->faults);
        is_good = rule && event_row_read(NULL, sources->files, rule, sources->faults);
        /* Where a row takes the same name, its place is the one to be told. */
        if (is_good)
            add_key(rules, rule->name.text, rule, (struct place){0});
        if (is_good && !rule->contract) {
            faults_add(sources->faults, place, NULL,
                       "a contract's file is not called \"%.*s\"", (int)file.len,
                       file.ptr);
            is_good = false;
        }
    }
    buf_finish(&file);
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

static bool read_unknown(struct event_rules *rules, const struct sources *sources)
{
    static const char *const words[] = {"deny", "allow"};
    const struct document_node *node = document_find(sources->root, "unknown_events");

    rules->denies_unknown = document_find(sources->root, "contracts") != NULL;
    if (!node)
        return true;
    struct slice word = node->kind == DOCUMENT_SCALAR ? node->text : SLICE("");
    rules->denies_unknown = slice_is(word, "deny");
    if (rules->denies_unknown || slice_is(word, "allow"))
        return true;
    faults_add_word(sources->faults, node->place, "unknown_events is deny or allow, not",
                    word, words, 2);
    return false;
}

/* Rows without a shape of their own have the one of all. */
static bool read_envelope(struct event_rules *rules, const struct sources *sources)
{
    const struct document_node *envelope = document_find(sources->root, "envelope");

    if (!envelope)
        return true;
    rules->envelope = event_envelope_compile(envelope, sources->faults);
    rules->other.shape = rules->envelope;
    for (size_t i = 0; i < rules->count; i++)
        if (!rules->rules[i].shape)
            rules->rules[i].shape = rules->envelope;
    return rules->envelope != NULL;
}

static size_t words_of(const struct document_node *list)
{
    return list && list->kind == DOCUMENT_LIST ? list->count : 1;
}

/* As many rules and keys as the sources can give. */
static bool make_room(struct event_rules *rules, const struct sources *sources,
                      size_t file_count)
{
    const struct document_node *events = sources->events;
    size_t rows = file_count + (events ? events->count : 0), keys = rows;

    for (size_t i = 0; events && i < events->count; i++)
        keys += words_of(document_find(&events->entries[i].value, "aliases"));
    rules->rules = calloc(rows + 1, sizeof *rules->rules);
    rules->keys = calloc(keys + 1, sizeof *rules->keys);
    rules->names = calloc(keys + 1, sizeof *rules->names);
    return (rules->rules && rules->keys && rules->names) ||
           out_of_memory(sources->faults);
}

static bool fill(struct event_rules *rules, const struct sources *sources)
{
    const struct document_node *events = sources->events;
    const struct system_files *files = sources->files;
    size_t file_count = 0;
    bool is_good = true;

    while (files->event_name(files->ctx, file_count))
        file_count++;
    if (!make_room(rules, sources, file_count))
        return false;
    for (size_t i = 0; events && i < events->count; i++)
        is_good &= read_row(rules, sources, &events->entries[i]);
    for (size_t i = 0; i < file_count; i++)
        is_good &= read_file(rules, sources, slice_of(files->event_name(files->ctx, i)));
    is_good &= sort_keys(rules, sources->faults);
    is_good &= read_unknown(rules, sources);
    is_good &= read_envelope(rules, sources);
    return is_good;
}

struct event_rules *event_rules_compile(const struct document_node *root,
                                        const struct system_files *files,
                                        struct faults *faults)
{
    const struct sources sources = {root, document_find(root, "events"), files, faults};
    struct event_rules *rules;

    if (sources.events && sources.events->kind != DOCUMENT_MAP) {
        faults_add(faults, sources.events->place, NULL,
                   "events is a map of events by name");
        return NULL;
    }
    rules = calloc(1, sizeof *rules);
    if (!rules)
        out_of_memory(faults);
    else if (fill(rules, &sources))
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

bool event_rules_are_none(const struct event_rules *rules)
{
    return rules->key_count == 0 && !rules->denies_unknown && !rules->envelope;
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

size_t event_rules_count(const struct event_rules *rules)
{
    return rules->count;
}

const struct event_rule *event_rules_at(const struct event_rules *rules, size_t at)
{
    return &rules->rules[at];
}

struct slice event_rule_name(const struct event_rule *rule)
{
    return slice_of(rule->name.text);
}

bool event_rule_has_contract(const struct event_rule *rule)
{
    return rule->contract != NULL;
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

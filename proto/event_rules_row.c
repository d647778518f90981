/* One row of the catalog of events: see event_rules.h. */
#include "proto/event_rules_parts.h"

#include "proto/limits.h"
#include "proto/sio.h"
#include "proto/utf8.h"

#include <stdlib.h>

/* What is being read, and whether it is still good. */
struct reading {
    struct event_rule *rule;
    const struct system_files *files;
    struct faults *faults;
    bool is_good;
};

static void complain(struct reading *reading, struct place place, const char *message)
{
    faults_add(reading->faults, place, NULL, "%s", message);
    reading->is_good = false;
}

/* --- words */

const char *event_name_fault(struct slice name)
{
    if (name.len == 0)
        return "an event's name is empty";
    if (name.len > LIMIT_EVENT_NAME_BYTES)
        return "an event's name has more than 128 bytes";
    if (!utf8_is_plain(name))
        return "an event's name contains a control character";
    if (event_name_is_reserved(name))
        return "this name belongs to the client's own life cycle: choose another";
    return NULL;
}

bool event_word_set(struct event_word *word, struct slice text)
{
    struct buf json = {.max = LIMIT_CONFIG_BYTES};

    buf_add_json_string(&json, text);
    buf_add_byte(&json, '\0');
    word->text = slice_dup(text);
    if (!word->text || buf_status(&json)) {
        buf_finish(&json);
        return false;
    }
    word->json = buf_release(&json);
    return true;
}

static bool has_word(const struct event_words *words, struct slice text)
{
    for (size_t i = 0; i < words->count; i++)
        if (slice_is(text, words->items[i].text))
            return true;
    return false;
}

static void add_word(struct reading *reading, const struct document_node *node,
                     const char *(*fault_of)(struct slice text),
                     struct event_words *words)
{
    const char *fault = NULL;

    if (node->kind != DOCUMENT_SCALAR)
        fault = "this must be a text";
    else if (has_word(words, node->text))
        fault = "this stands in the list already";
    else
        fault = fault_of(node->text);
    if (fault)
        complain(reading, node->place, fault);
    else if (!event_word_set(&words->items[words->count++], node->text))
        complain(reading, node->place, "out of memory");
}

/* A list of texts, or one. */
static void read_words(struct reading *reading, const struct document_node *node,
                       const char *(*fault_of)(struct slice text),
                       struct event_words *words)
{
    bool is_list = node && node->kind == DOCUMENT_LIST;
    size_t count = is_list ? node->count : 1;

    if (!node)
        return;
    if (count == 0) {
        complain(reading, node->place, "this list is empty: leave the key out instead");
        return;
    }
    words->items = calloc(count, sizeof *words->items);
    if (!words->items) {
        complain(reading, node->place, "out of memory");
        return;
    }
    for (size_t i = 0; i < count; i++)
        add_word(reading, is_list ? &node->items[i] : node, fault_of, words);
}

static void read_emit_names(struct reading *reading, const struct document_node *node)
{
    if (node && node->kind == DOCUMENT_LIST && node->count > LIMIT_EMIT_NAMES)
        complain(reading, node->place, "an event has at most 64 names for clients");
    else
        read_words(reading, node, event_name_fault, &reading->rule->emit_as);
}

static const char *publisher_fault(struct slice word)
{
    return word.len == 0 || !utf8_is_plain(word)
               ? "the name of a key, or a scope, was expected"
               : NULL;
}

static enum event_default read_switch(struct reading *reading,
                                      const struct document_node *node)
{
    static const char *const words[] = {"on", "off", "true", "false"};

    if (!node)
        return EVENT_UNSAID;
    for (size_t i = 0; node->kind == DOCUMENT_SCALAR && i < 4; i++)
        if (slice_is(node->text, words[i]))
            return i % 2 ? EVENT_OFF : EVENT_ON;
    complain(reading, node->place, "this is on or off");
    return EVENT_UNSAID;
}

/* --- contract */

void event_contract_file(struct slice event, struct buf *out)
{
    for (size_t i = 0; i < event.len; i++) {
        if (event.ptr[i] == ':')
            buf_add_text(out, "%3A");
        else if (event.ptr[i] == '/')
            buf_add_text(out, "%2F");
        else
            buf_add_byte(out, event.ptr[i]);
    }
    buf_add_text(out, ".schema.json");
}

enum {
    MAX_WORDS = 200 /* that are looked through for the one that was meant */
};

/* The files of the folder, one of which was probably meant. */
static void refuse_file(struct reading *reading, const struct document_node *node)
{
    const struct system_files *files = reading->files;
    struct buf names[MAX_WORDS];
    const char *words[MAX_WORDS];
    const char *event;
    size_t count = 0;

    while (count < MAX_WORDS && (event = files->event_name(files->ctx, count))) {
        names[count] = (struct buf){.max = LIMIT_CONFIG_BYTES};
        event_contract_file(slice_of(event), &names[count]);
        buf_add_byte(&names[count], '\0');
        words[count] = buf_status(&names[count]) ? "" : names[count].ptr;
        count++;
    }
    faults_add_word(reading->faults, node->place, "there is no contract", node->text,
                    words, count);
    while (count > 0)
        buf_finish(&names[--count]);
    reading->is_good = false;
}

static void compile_contract(struct reading *reading, const struct document_node *schema)
{
    reading->rule->contract = contract_compile(schema, reading->faults);
    reading->is_good &= reading->rule->contract != NULL;
}

/* The file of this name; where no row names it, it need not be there. */
static void read_file(struct reading *reading, struct slice name,
                      const struct document_node *node)
{
    const struct system_files *files = reading->files;
    const struct document_node *schema;

    switch (files->read_contract(files->ctx, name, &schema, reading->faults)) {
    case ST_OK: compile_contract(reading, schema); break;
    case ST_NOT_FOUND:
        if (node)
            refuse_file(reading, node);
        break;
    default: reading->is_good = false;
    }
}

static void read_contract(struct reading *reading, const struct document_node *node)
{
    struct buf file = {.max = LIMIT_CONFIG_BYTES};

    if (node && node->kind != DOCUMENT_SCALAR) {
        compile_contract(reading, node);
    } else if (node) {
        read_file(reading, node->text, node);
    } else {
        event_contract_file(slice_of(reading->rule->name.text), &file);
        if (!buf_status(&file))
            read_file(reading, buf_slice(&file), NULL);
    }
    buf_finish(&file);
}

/* --- target */

static struct template *user_template(const struct document_node *node,
                                      struct faults *faults)
{
    struct buf text = {.max = LIMIT_CONFIG_BYTES};
    struct document_node user = *node;
    struct template *template = NULL;

    buf_add_text(&text, "user:");
    buf_add(&text, node->text);
    user.text = buf_slice(&text);
    if (buf_status(&text))
        faults_add(faults, node->place, NULL, "out of memory");
    else
        template = template_of_room(&user, EVENT_SOURCES, faults);
    buf_finish(&text);
    return template;
}

typedef struct template *target_fn(const struct document_node *node,
                                   struct faults *faults);

static struct template *room_template(const struct document_node *node,
                                      struct faults *faults)
{
    return template_of_room(node, EVENT_SOURCES, faults);
}

static void add_target(struct reading *reading, const struct document_node *node,
                       target_fn *target)
{
    struct event_rule *rule = reading->rule;

    if (node->kind != DOCUMENT_SCALAR) {
        complain(reading, node->place, "this must be a text");
        return;
    }
    struct template *template = target(node, reading->faults);
    if (template)
        rule->to[rule->to_count++] = template;
    else
        reading->is_good = false;
}

/* A list of targets, or one. */
static void read_targets(struct reading *reading, const struct document_node *node,
                         target_fn *target)
{
    bool is_list = node->kind == DOCUMENT_LIST;
    size_t count = is_list ? node->count : 1;

    if (count == 0 || count > LIMIT_TARGETS) {
        complain(reading, node->place, "from 1 to 1,000 targets were expected");
        return;
    }
    reading->rule->to = calloc(count, sizeof(struct template *));
    if (!reading->rule->to) {
        complain(reading, node->place, "out of memory");
        return;
    }
    for (size_t i = 0; i < count; i++)
        add_target(reading, is_list ? &node->items[i] : node, target);
}

static void read_target_map(struct reading *reading, const struct document_node *node)
{
    static const char *const words[] = {"rooms", "users", "first"};
    const struct document_entry *entry = node->entries;

    if (node->count != 1) {
        complain(reading, node->place, "to is exactly one of rooms, users and first");
        return;
    }
    reading->rule->is_first_of = slice_is(entry->key, "first");
    if (slice_is(entry->key, "users")) {
        read_targets(reading, &entry->value, user_template);
    } else if (reading->rule->is_first_of || slice_is(entry->key, "rooms")) {
        read_targets(reading, &entry->value, room_template);
    } else {
        faults_add_word(reading->faults, entry->place,
                        "to is one of rooms, users and first, not", entry->key, words, 3);
        reading->is_good = false;
    }
}

static struct template *everybody(const struct document_node *node, struct faults *faults)
{
    struct document_node all = *node;

    all.text = SLICE("*");
    return room_template(&all, faults);
}

static void read_to(struct reading *reading, const struct document_node *node)
{
    if (!node)
        return;
    if (node->kind == DOCUMENT_MAP)
        read_target_map(reading, node);
    else if (node->kind == DOCUMENT_SCALAR && slice_is(node->text, "all"))
        read_targets(reading, node, everybody);
    else
        read_targets(reading, node, room_template);
}

/* --- shape */

/* "{payload.items[]}" alone gives any number of values, and a payload is one. */
static bool fans_out(const struct document_node *node)
{
    struct slice text = node->text, tail;

    if (node->kind != DOCUMENT_SCALAR || text.len < 3)
        return false;
    tail = slice_from(text, text.len - 2);
    return text.ptr[0] == '{' && text.ptr[1] != '{' && slice_is(tail, "]}");
}

struct template *event_envelope_compile(const struct document_node *node,
                                        struct faults *faults)
{
    if (!fans_out(node))
        return template_of_json(node, EVENT_SOURCES, faults);
    faults_add(faults, node->place, NULL,
               "an envelope is one value: write a list around what fans out");
    return NULL;
}

static void read_shape(struct reading *reading, const struct document_node *envelope,
                       const struct document_node *args)
{
    struct event_rule *rule = reading->rule;
    const struct document_node *node = args ? args : envelope;

    if (!node)
        return;
    if (args && envelope)
        complain(reading, args->place, "envelope and args exclude each other");
    if (args && args->kind == DOCUMENT_MAP)
        complain(reading, args->place, "args is a list: one item for each argument");
    rule->has_args = args != NULL;
    rule->is_list = node->kind == DOCUMENT_LIST;
    rule->own_shape = args ? template_of_json(node, EVENT_SOURCES, reading->faults)
                           : event_envelope_compile(node, reading->faults);
    rule->shape = rule->own_shape;
    reading->is_good &= rule->shape != NULL;
}

bool event_row_read(const struct document_node *row, const struct system_files *files,
                    struct event_rule *rule, struct faults *faults)
{
    struct reading reading = {rule, files, faults, true};

    read_contract(&reading, document_find(row, "contract"));
    read_to(&reading, document_find(row, "to"));
    read_shape(&reading, document_find(row, "envelope"), document_find(row, "args"));
    read_emit_names(&reading, document_find(row, "emit_as"));
    read_words(&reading, document_find(row, "aliases"), event_name_fault, &rule->aliases);
    read_words(&reading, document_find(row, "publish"), publisher_fault, &rule->publish);
    rule->history = read_switch(&reading, document_find(row, "history"));
    rule->is_volatile = read_switch(&reading, document_find(row, "volatile"));
    return reading.is_good;
}

static void finish_words(struct event_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->items[i].text);
        free(words->items[i].json);
    }
    free(words->items);
}

void event_rule_finish(struct event_rule *rule)
{
    free(rule->name.text);
    free(rule->name.json);
    contract_destroy(rule->contract);
    for (size_t i = 0; i < rule->to_count; i++)
        template_destroy(rule->to[i]);
    free(rule->to);
    template_destroy(rule->own_shape);
    finish_words(&rule->emit_as);
    finish_words(&rule->publish);
    finish_words(&rule->aliases);
}

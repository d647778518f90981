/* Files of API keys: see the header. */
#include "publisher-api/api_keys_file.h"

#include "bridge/config_read.h"
#include "bridge/config_yaml.h"
#include "bridge/secret_file.h"
#include "proto/rule_node.h"

#include <stdlib.h>

enum {
    MAX_ITEMS = 256 /* of rooms, of events */
};

static const char *const fields[] = {"key", "scopes", "rooms", "events"};
static const char *const scopes[] = {"publish", "admin"}; /* as enum api_scope */
enum {
    FIELDS = sizeof fields / sizeof *fields,
    SCOPES = sizeof scopes / sizeof *scopes,
};

/* A key in the wrong place is still a secret. */
static bool is_shown(struct slice word)
{
    return !slice_starts_with(word, "sk_");
}

static void check_fields(const struct document_node *row, struct faults *faults)
{
    for (size_t i = 0; i < row->count; i++) {
        struct slice word = row->entries[i].key;
        size_t known = 0;
        while (known < FIELDS && !slice_is(word, fields[known]))
            known++;
        if (known == FIELDS && !is_shown(word))
            faults_add(faults, row->entries[i].place, NULL, "this is no name of a field");
        else if (known == FIELDS)
            faults_add_word(faults, row->entries[i].place, "an API key has no", word,
                            fields, FIELDS);
    }
}

/* The nth of a list, or the one that is no list. */
static const struct document_node *item(const struct document_node *node, size_t i)
{
    return node->kind == DOCUMENT_LIST ? &node->items[i] : node;
}

static size_t count_of(const struct document_node *node)
{
    return !node ? 0 : node->kind == DOCUMENT_LIST ? node->count : 1;
}

static unsigned read_scopes(const struct document_node *node, struct faults *faults)
{
    unsigned all = node ? 0 : API_SCOPE_PUBLISH;

    for (size_t i = 0; i < count_of(node); i++) {
        const struct document_node *scope = item(node, i);
        int at = -1;
        if (is_shown(scope->text))
            at = rule_word(scope, "a scope", scopes, SCOPES, faults);
        else
            faults_add(faults, scope->place, NULL, "a scope is publish or admin");
        all |= at >= 0 ? 1u << at : 0;
    }
    if (node && count_of(node) == 0)
        faults_add(faults, node->place, NULL, "a key without a scope may do nothing");
    return all;
}

/* Lends texts. An empty list would be no limit: it has to be left out. */
static size_t read_texts(const struct document_node *node, const char *what,
                         bool (*is_fit)(struct slice text), struct slice texts[MAX_ITEMS],
                         struct faults *faults)
{
    size_t count = count_of(node);

    if (node && (count == 0 || count > MAX_ITEMS)) {
        faults_add(faults, node->place, NULL, "from 1 to 256 %s were expected", what);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = item(node, i)->text;
        if (item(node, i)->kind != DOCUMENT_SCALAR || !is_fit(texts[i]))
            faults_add(faults, item(node, i)->place, NULL, "this is none of the %s",
                       what);
    }
    return count;
}

static bool is_event(struct slice text)
{
    return text.len > 0 && text.len <= LIMIT_EVENT_NAME_BYTES;
}

static void refuse_key(enum status status, struct place place, struct faults *faults)
{
    switch (status) {
    case ST_CONFLICT:
        faults_add(faults, place, NULL, "this API key is there twice");
        break;
    case ST_BAD_REQUEST:
        faults_add(faults, place, NULL,
                   "an API key is 'sk_' and 43 characters of base64url");
        break;
    case ST_LIMIT:
        faults_add(faults, place, NULL, "there are more than 1,000 API keys");
        break;
    default: rule_no_memory(place, faults);
    }
}

static void add_row(struct api_keys *keys, const struct document_entry *entry,
                    struct faults *faults)
{
    const struct document_node *row = &entry->value;
    const struct document_node *secret = document_find(row, "key");
    struct slice rooms[MAX_ITEMS], events[MAX_ITEMS];
    char *name = slice_dup(entry->key);
    struct api_key key = {.name = name, .rooms = rooms, .events = events};
    size_t before = rule_fault_count(faults);

    if (row->kind != DOCUMENT_MAP || !secret || secret->kind != DOCUMENT_SCALAR)
        faults_add(faults, row->place, NULL,
                   "an API key is a map: key, scopes, rooms, events");
    else
        check_fields(row, faults);
    key.scopes = read_scopes(document_find(row, "scopes"), faults);
    key.room_count = read_texts(document_find(row, "rooms"), "patterns of rooms",
                                room_pattern_is_valid, rooms, faults);
    key.event_count = read_texts(document_find(row, "events"), "names of events",
                                 is_event, events, faults);
    enum status st = name ? ST_OK : ST_NO_MEMORY;
    if (rule_fault_count(faults) == before && !st)
        st = api_keys_add(keys, &key, secret->text);
    if (st)
        refuse_key(st, secret ? secret->place : entry->place, faults);
    free(name);
}

/* Keys alone, as in publisher.api_keys; a line's end parts them, too. */
static void add_list(struct api_keys *keys, const struct document_node *node,
                     struct faults *faults)
{
    char *list = slice_dup(node->text);

    for (size_t i = 0; list && i < node->text.len; i++)
        if (list[i] == ' ' || list[i] == '\n')
            list[i] = ',';
    enum status st = list ? api_keys_add_list(keys, slice_of(list)) : ST_NO_MEMORY;
    if (st)
        refuse_key(st, node->place, faults);
    free(list);
}

static void add_rows(struct api_keys *keys, const struct document_node *root,
                     struct faults *faults)
{
    if (root->kind == DOCUMENT_SCALAR) {
        add_list(keys, root, faults);
    } else if (rule_map(root,
                        "API keys are a map: a name to {key, scopes, rooms, events}",
                        faults)) {
        for (size_t i = 0; i < root->count; i++)
            add_row(keys, &root->entries[i], faults);
    }
}

bool api_keys_add_file(struct api_keys *keys, const char *path, struct faults *faults)
{
    const struct place place = {.file = path};
    struct document_node root = {0};
    struct slice text;
    const char *reason;
    size_t before = rule_fault_count(faults);

    if (!secret_file_is_regular(path) || config_read(path, &text, &reason)) {
        faults_add(faults, place, NULL,
                   "publisher.api_keys_file: this file cannot be read");
        return false;
    }
    if (config_yaml_read(path, text, &root, faults))
        add_rows(keys, &root, faults);
    document_finish(&root);
    free((void *)(uintptr_t)text.ptr);
    return rule_fault_count(faults) == before;
}

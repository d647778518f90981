/* Binding a document to the table of keys: see the header. */
#include "bridge/config_bind.h"

#include "bridge/config_words.h"
#include "proto/limits.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 160,        /* "commands.join.allow[3]" in sentences */
    LIST_BYTES = 256 * 1024, /* of all texts of one list */
    SHOWN_BYTES = 60
};

/* A value on its way: what it is for, and how it is called. */
struct spot {
    const struct config_key *key; /* NULL: the whole document */
    char name[NAME_BYTES];
};

/* A map or a list that is being looked through. */
struct frame {
    struct spot spot;
    const struct document_node *node;
    size_t next;
};

struct binding {
    const struct config_bind_source *source;
    struct options *options;
    struct faults *faults;
    struct frame frames[LIMIT_CONFIG_DEPTH + 1]; /* as deep as documents are */
    size_t depth;
};

static void push(struct binding *binding, const struct spot *spot,
                 const struct document_node *node)
{
    assert(binding->depth < sizeof binding->frames / sizeof *binding->frames);
    binding->frames[binding->depth++] = (struct frame){*spot, node, 0};
}

static struct spot spot_below(const struct spot *parent, const struct config_key *key,
                              struct slice word)
{
    struct spot spot = {.key = key};

    snprintf(spot.name, sizeof spot.name, "%.*s%s%.*s", NAME_BYTES - SHOWN_BYTES - 2,
             parent->name, parent->name[0] ? "." : "",
             (int)slice_first(word, SHOWN_BYTES).len, word.len ? word.ptr : "");
    return spot;
}

static struct spot spot_item(const struct spot *list, const struct config_key *key,
                             size_t index)
{
    struct spot spot = {.key = key};

    snprintf(spot.name, sizeof spot.name, "%.*s[%u]", NAME_BYTES - 16, list->name,
             (unsigned)index);
    return spot;
}

static bool is_empty(const struct document_node *node)
{
    return node->kind == DOCUMENT_SCALAR && !node->is_quoted && node->text.len == 0;
}

static void wrong_kind(struct binding *binding, const struct spot *spot,
                       const struct document_node *node, const char *wanted)
{
    if (is_empty(node))
        faults_add(binding->faults, node->place, NULL,
                   "%s has no value: write one, or leave the key out", spot->name);
    else
        faults_add(binding->faults, node->place, NULL, "%s must be %s", spot->name,
                   wanted);
}

/* --- values of options */

/* A path of the file, from where the process can open it. False: too long. */
static bool full_path(const struct binding *binding, struct slice path,
                      char out[PATH_MAX])
{
    bool is_relative = path.len > 0 && path.ptr[0] != '/' && binding->source->folder[0];
    int len = snprintf(out, PATH_MAX, "%s%s%.*s",
                       is_relative ? binding->source->folder : "", is_relative ? "/" : "",
                       (int)slice_first(path, PATH_MAX).len, path.len ? path.ptr : "");

    return len < PATH_MAX;
}

static void put_option(struct binding *binding, const struct spot *spot,
                       struct slice text, struct place place)
{
    char error[OPTIONS_ERROR_BYTES];

    if (options_put_at(binding->options, spot->key, text, place, error))
        faults_add(binding->faults, place, NULL, "%s", error);
}

static void put_text(struct binding *binding, const struct spot *spot, struct slice text,
                     struct place place)
{
    char path[PATH_MAX], error[CONFIG_ERROR_BYTES];

    if (spot->key->type == KEY_PATH) {
        if (!full_path(binding, text, path)) {
            faults_add(binding->faults, place, NULL, "%s is too long", spot->name);
            return;
        }
        text = slice_of(path);
    }
    if (config_key_is_option(spot->key))
        put_option(binding, spot, text, place);
    else if (config_value_check(spot->key, spot->name, text, error))
        faults_add(binding->faults, place, NULL, "%s", error);
}

/* KEY_file: the secret lies in a file. */
static void put_secret_file(struct binding *binding, const struct spot *spot,
                            const struct document_node *node)
{
    char path[PATH_MAX], *text = NULL;
    const char *reason = "the path is too long";

    if (node->kind != DOCUMENT_SCALAR || node->text.len == 0) {
        wrong_kind(binding, spot, node, "the name of a file");
        return;
    }
    if (!full_path(binding, node->text, path) ||
        binding->source->read_secret(path, &text, &reason)) {
        faults_add(binding->faults, node->place, NULL, "%s: cannot read %.150s: %s",
                   spot->name, path, reason);
        return;
    }
    put_option(binding, spot, slice_of(text), node->place);
    free(text);
}

/* --- lists of texts: one text, separated by commas, as environment and flags have it */

/* {kid, alg, file} → KID:ALG:FILE */
static void add_key_item(struct binding *binding, const struct document_node *item,
                         struct buf *list)
{
    const char *parts[] = {"kid", "alg", "file"};
    char path[PATH_MAX];

    for (size_t i = 0; i < 3; i++) {
        const struct document_node *part = document_find(item, parts[i]);
        struct slice text = {0};
        if (part && part->kind == DOCUMENT_SCALAR)
            text = part->text;
        if (i == 2 && full_path(binding, text, path))
            text = slice_of(path);
        buf_add(list, text);
        if (i < 2)
            buf_add_byte(list, ':');
    }
}

static void add_item(struct binding *binding, const struct spot *spot,
                     const struct document_node *item, struct buf *list)
{
    if (item->kind == DOCUMENT_MAP && spot->key->type == KEY_KEY_ITEMS) {
        add_key_item(binding, item, list);
    } else if (item->kind != DOCUMENT_SCALAR || is_empty(item)) {
        wrong_kind(binding, spot, item, "a list of texts");
    } else if (memchr(item->text.ptr, ',', item->text.len)) {
        faults_add(binding->faults, item->place, NULL,
                   "%s: an item has no comma: make it two", spot->name);
    } else {
        buf_add(list, item->text);
    }
}

/* An item is checked by itself first, for its own place. False: it had a fault. */
static bool check_item(struct binding *binding, const struct spot *spot,
                       const struct document_node *item, struct slice text)
{
    char error[CONFIG_ERROR_BYTES];

    if (!config_value_check(spot->key, spot->name, text, error))
        return true;
    faults_add(binding->faults, item->place, NULL, "%s", error);
    return false;
}

static void bind_text_list(struct binding *binding, const struct spot *spot,
                           const struct document_node *node)
{
    const struct document_node *items = node->kind == DOCUMENT_LIST ? node->items : node;
    size_t count = node->kind == DOCUMENT_LIST ? node->count : 1;
    struct buf list = {.max = LIST_BYTES};
    bool is_good = true;

    for (size_t i = 0; i < count; i++) {
        size_t start = list.len;
        size_t faults_before = binding->faults->count;
        if (node->kind == DOCUMENT_SCALAR && !is_empty(node))
            buf_add(&list, node->text); /* commas and all */
        else
            add_item(binding, spot, &items[i], &list);
        is_good =
            is_good && binding->faults->count == faults_before &&
            check_item(binding, spot, &items[i], slice_from(buf_slice(&list), start));
        if (i + 1 < count)
            buf_add_byte(&list, ',');
    }
    if (buf_status(&list))
        faults_add(binding->faults, node->place, NULL, "%s is too long", spot->name);
    else if (is_good && config_key_is_option(spot->key))
        put_option(binding, spot, buf_slice(&list), node->place);
    buf_finish(&list);
    if (spot->key->type == KEY_KEY_ITEMS && node->kind == DOCUMENT_LIST)
        push(binding, spot, node); /* for the keys of its maps */
}

/* --- maps and lists */

/* The secret whose KEY_file this is, or NULL. */
static const struct config_key *secret_of(const struct config_key *parent,
                                          struct slice word)
{
    if (word.len <= 5 || !slice_is(slice_from(word, word.len - 5), "_file"))
        return NULL;
    const struct config_key *key =
        config_key_child(parent, slice_first(word, word.len - 5));
    return key && config_key_is_secret(key) ? key : NULL;
}

static bool has_both(const struct document_node *map, const struct config_key *secret)
{
    return document_find(map, strrchr(secret->path, '.') + 1) != NULL;
}

/* What templates and rules say is for their own readers. */
static void bind_foreign(struct binding *binding, const struct spot *spot,
                         const struct document_node *node)
{
    bool is_text = spot->key->type != KEY_TEMPLATE && spot->key->type != KEY_ANY &&
                   spot->key->type != KEY_CONTRACT;

    if (is_empty(node) || (is_text && node->kind != DOCUMENT_SCALAR))
        wrong_kind(binding, spot, node, "one text");
}

/* Of a map or a list only the kind: what is in it comes later. */
static void bind_value(struct binding *binding, const struct spot *spot,
                       const struct document_node *node)
{
    const struct config_key *key = spot->key;
    bool is_map = node->kind == DOCUMENT_MAP, is_list = node->kind == DOCUMENT_LIST;

    if ((key->type == KEY_MAP && is_map) || (key->type == KEY_LIST && is_list))
        push(binding, spot, node);
    else if (key->type == KEY_MAP)
        wrong_kind(binding, spot, node, "a map of keys");
    else if (key->type == KEY_LIST)
        wrong_kind(binding, spot, node, "a list");
    else if (config_key_is_text_list(key) && !is_map)
        bind_text_list(binding, spot, node);
    else if (config_key_is_text_list(key))
        wrong_kind(binding, spot, node, "a list of texts");
    else if (!config_key_is_scalar(key))
        bind_foreign(binding, spot, node);
    else if (node->kind != DOCUMENT_SCALAR || is_empty(node))
        wrong_kind(binding, spot, node, "one value");
    else
        put_text(binding, spot, node->text, node->place);
}

static void bind_entry(struct binding *binding, const struct spot *parent,
                       const struct document_node *map,
                       const struct document_entry *entry)
{
    const struct config_key *above = parent->key;
    const struct config_key *key = config_key_child(above, entry->key);
    const struct config_key *secret = key ? NULL : secret_of(above, entry->key);
    struct spot spot = spot_below(parent, key ? key : secret, entry->key);

    if (secret && has_both(map, secret))
        faults_add(binding->faults, entry->place, NULL,
                   "%s is here without _file, too: "
                   "keep one",
                   spot.name);
    else if (secret)
        put_secret_file(binding, &spot, &entry->value);
    else if (!key)
        config_words_unknown(above, entry->key, entry->place, binding->faults);
    else if (key->flags & KEY_LATER)
        faults_add(binding->faults, entry->place, NULL, "%s is not built yet", spot.name);
    else
        bind_value(binding, &spot, &entry->value);
}

static void bind_item(struct binding *binding, const struct spot *list, size_t index,
                      const struct document_node *item)
{
    struct spot spot = spot_item(list, config_key_item(list->key), index);

    /* The texts among maps were read with their list. */
    if (list->key->type != KEY_KEY_ITEMS || item->kind == DOCUMENT_MAP)
        bind_value(binding, &spot, item);
}

static void bind_all(struct binding *binding)
{
    while (binding->depth > 0) {
        struct frame *frame = &binding->frames[binding->depth - 1];
        size_t i = frame->next++;
        if (i == frame->node->count)
            binding->depth--;
        else if (frame->node->kind == DOCUMENT_MAP)
            bind_entry(binding, &frame->spot, frame->node, &frame->node->entries[i]);
        else
            bind_item(binding, &frame->spot, i, &frame->node->items[i]);
    }
}

void config_bind(const struct document_node *root,
                 const struct config_bind_source *source, struct options *options,
                 struct faults *faults)
{
    struct binding binding = {.source = source, .options = options, .faults = faults};

    if (root->kind != DOCUMENT_MAP) {
        faults_add(faults, root->place, NULL,
                   "a configuration is a map of keys, for instance gateway: {count: 2}");
        return;
    }
    push(&binding, &(struct spot){0}, root);
    bind_all(&binding);
}

/* Values and their sources: see the header. */
#include "cli/config_show.h"

#include "proto/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_BYTES = 400
};

static const char masked[] = "(secret)";

struct show {
    struct buf *out;
    bool is_json;
    bool has_rows;
};

static void show_row(struct show *show, const char *key, struct slice value,
                     const char *source)
{
    struct buf *out = show->out;

    if (!show->is_json) {
        buf_print(out, "%-30s %-28.*s %s\n", key, (int)value.len,
                  value.len ? value.ptr : "", source);
        return;
    }
    buf_add_text(out, show->has_rows ? ",\n {\"key\":" : "\n {\"key\":");
    buf_add_json_string(out, slice_of(key));
    buf_add_text(out, ",\"value\":");
    buf_add_json_string(out, value);
    buf_add_text(out, ",\"source\":");
    buf_add_json_string(out, slice_of(source));
    buf_add_byte(out, '}');
    show->has_rows = true;
}

static void source_of(const struct options *options, const char *key,
                      char out[NAME_BYTES])
{
    static const char *const names[] = {"default", "file", "env", "flag"};
    struct place place = options_place(options, key);

    if (place.file)
        snprintf(out, NAME_BYTES, "%s:%u", place.file, place.line);
    else
        snprintf(out, NAME_BYTES, "%s", names[options_source(options, key)]);
}

static struct slice shown(const struct config_key *key, const char *text)
{
    return text[0] && config_key_is_secret(key) ? slice_of(masked) : slice_of(text);
}

/* --- what the file says in lists and maps: every scalar in it */

/* A node on the way through the document, and how far it is. */
struct step {
    const struct document_node *node;
    size_t next;
    size_t name_len; /* of the path up to it */
};

static size_t add_name(char name[NAME_BYTES], size_t len, const struct step *step)
{
    const struct document_node *node = step->node;
    int added;

    if (node->kind == DOCUMENT_LIST)
        added = snprintf(name + len, NAME_BYTES - len, "[%zu]", step->next);
    else
        added = snprintf(name + len, NAME_BYTES - len, "%s%.*s", len ? "." : "",
                         (int)node->entries[step->next].key.len,
                         node->entries[step->next].key.ptr);
    size_t end = len + (size_t)added;
    return end < NAME_BYTES ? end : NAME_BYTES - 1;
}

static void show_leaf(struct show *show, const char *name,
                      const struct document_node *leaf)
{
    char source[NAME_BYTES];

    snprintf(source, sizeof source, "%s:%u", leaf->place.file, leaf->place.line);
    show_row(show, name, leaf->text, source);
}

static bool is_option_or_secret(const char *name)
{
    size_t len = strlen(name);
    const char *bracket = strchr(name, '[');
    struct slice bare =
        slice_first(slice_of(name), bracket ? (size_t)(bracket - name) : len);
    bool is_file = bare.len > 5 && slice_is(slice_from(bare, bare.len - 5), "_file");

    return config_key_option(bare) ||
           (is_file && config_key_option(slice_first(bare, bare.len - 5)));
}

static void show_document(struct show *show, const struct document_node *root)
{
    struct step steps[LIMIT_CONFIG_DEPTH + 1] = {{.node = root}};
    char name[NAME_BYTES] = "";
    size_t depth = 1;

    while (depth > 0) {
        struct step *step = &steps[depth - 1];
        if (step->next == step->node->count) {
            depth--;
            continue;
        }
        size_t len = add_name(name, step->name_len, step);
        const struct document_node *node = step->node->kind == DOCUMENT_LIST
                                               ? &step->node->items[step->next]
                                               : &step->node->entries[step->next].value;
        step->next++;
        if (is_option_or_secret(name))
            continue;
        if (node->kind == DOCUMENT_SCALAR)
            show_leaf(show, name, node);
        else if (depth <= LIMIT_CONFIG_DEPTH)
            steps[depth++] = (struct step){node, 0, len};
    }
}

static void begin(struct show *show)
{
    if (show->is_json)
        buf_add_byte(show->out, '[');
}

static void end(struct show *show)
{
    if (show->is_json)
        buf_add_text(show->out, "\n]\n");
}

void config_show_effective(const struct options *options, const struct config_file *file,
                           bool is_json, struct buf *out)
{
    struct show show = {out, is_json, false};
    char source[NAME_BYTES];

    begin(&show);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!config_key_is_option(key))
            continue;
        source_of(options, key->path, source);
        show_row(&show, key->path, shown(key, options_text(options, key->path)), source);
    }
    show_document(&show, config_file_root(file));
    end(&show);
}

void config_show_defaults(bool is_json, struct buf *out)
{
    struct show show = {out, is_json, false};

    begin(&show);
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_option(&config_keys[i]))
            show_row(&show, config_keys[i].path, slice_of(config_keys[i].fallback),
                     "default");
    end(&show);
}

void config_show_env(const struct options *options, struct buf *out)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char name[OPTIONS_NAME_BYTES];
        if (!config_key_is_option(key))
            continue;
        options_variable(key, name);
        if (config_key_is_secret(key))
            buf_print(out, "# %s=%s\n", name, masked);
        else
            buf_print(out, "%s=%s\n", name, options_text(options, key->path));
    }
}

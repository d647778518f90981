/* The reference of all keys: see the header. */
#include "cli/config_markdown.h"

#include "bridge/config_value.h"
#include "bridge/options.h"

#include <stdio.h>
#include <string.h>

enum {
    NUMBER_BYTES = 32
};

static const char *const type_names[] = {
    [KEY_DURATION] = "duration",
    [KEY_SIZE] = "size",
    [KEY_INT] = "number",
    [KEY_TEXT] = "text",
    [KEY_NAME] = "name",
    [KEY_PATH] = "path",
    [KEY_ADDRESS] = "address",
    [KEY_RATE] = "rate",
    [KEY_SECRET] = "secret",
    [KEY_WORD] = "word",
    [KEY_CHOICE] = "word",
    [KEY_SWITCH] = "`on`, `off`",
    [KEY_TEXTS] = "texts",
    [KEY_ORIGINS] = "texts",
    [KEY_PREFIXES] = "texts",
    [KEY_SECRETS] = "secrets",
    [KEY_WORDS] = "words",
    [KEY_KEY_ITEMS] = "texts or maps",
    [KEY_MAP] = "map",
    [KEY_LIST] = "list",
    [KEY_TEMPLATE] = "JSON template",
    [KEY_TEXT_TEMPLATE] = "text template",
    [KEY_ROOM_TEMPLATE] = "room template",
    [KEY_PATTERN] = "pattern",
    [KEY_EVENT] = "event's name",
    [KEY_CONTRACT] = "contract",
    [KEY_ANY] = "any",
};

/* "`a`, `b`" of the words that are built. */
static void add_words(struct buf *out, const char *glue, const struct config_key *key)
{
    for (size_t i = 0; key->words && key->words[i]; i++) {
        if (key->words[i][0] == '~')
            continue;
        buf_print(out, "%s`%s`", glue, key->words[i]);
        glue = ", ";
    }
}

static void add_range(struct buf *out, const struct config_key *key)
{
    char min[NUMBER_BYTES], max[NUMBER_BYTES];

    if (key->type > KEY_INT)
        return;
    config_value_print(key, key->min, min, sizeof min);
    config_value_print(key, key->max, max, sizeof max);
    buf_print(out, "; `%s` to `%s`", min, max);
}

static void add_default(struct buf *out, const struct config_key *key)
{
    if (!key->fallback)
        return;
    buf_print(out, key->fallback[0] ? "`%s`" : "empty", key->fallback);
}

static void add_meaning(struct buf *out, const struct config_key *key)
{
    buf_add_text(out, key->doc);
    add_words(out, ": ", key);
    add_range(out, key);
}

static void add_option(struct buf *out, const struct config_key *key)
{
    char name[OPTIONS_NAME_BYTES];

    options_variable(key, name);
    buf_print(out, "| `%s` | `%s` | %s | ", key->path, name, type_names[key->type]);
    add_default(out, key);
    buf_add_text(out, " | ");
    add_meaning(out, key);
    buf_print(out, " | %s |\n", key->flags & KEY_RELOADS ? "yes" : "");
}

static void add_key(struct buf *out, const struct config_key *key)
{
    buf_print(out, "| `%s` | %s | ", key->path, type_names[key->type]);
    add_default(out, key);
    buf_add_text(out, " | ");
    add_meaning(out, key);
    buf_add_text(out, " |\n");
}

/* The maps that only hold options need no row. */
static bool holds_options_alone(const struct config_key *key)
{
    size_t len = strlen(key->path);

    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *other = &config_keys[i];
        bool is_below = strncmp(other->path, key->path, len) == 0 &&
                        strchr(".[", other->path[len]) && other->path[len];
        if (is_below && config_key_is_option(other))
            return true;
    }
    return false;
}

/* Below a row that is not built nothing is named again. */
static bool is_named_above(const struct config_key *key)
{
    char above[CONFIG_KEY_PATH_BYTES];
    size_t len = strlen(key->path);

    do
        len--;
    while (len > 0 && !strchr(".[", key->path[len]));
    snprintf(above, sizeof above, "%.*s", (int)len, key->path);
    return len > 0 && config_key_is_later(&(struct config_key){.path = above});
}

void config_markdown_print(struct buf *out)
{
    buf_add_text(out,
                 "### Options\n\n"
                 "Also variables and `--set`. The last column: whether SIGHUP brings "
                 "a new value in.\n\n"
                 "| Key | Variable | Type | Default | Meaning | SIGHUP |\n"
                 "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_option(&config_keys[i]))
            add_option(out, &config_keys[i]);

    buf_add_text(out, "\n### Keys of lists and maps\n\n"
                      "Only in the file; `*` is any name, `[]` an item of a list.\n\n"
                      "| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        bool is_hidden = config_key_is_option(key) || config_key_is_later(key) ||
                         (key->type == KEY_MAP && holds_options_alone(key));
        if (!is_hidden)
            add_key(out, key);
    }

    buf_add_text(out, "\n### Not built yet\n\nRefused by name: ");
    const char *glue = "";
    for (size_t i = 0; i < config_key_count; i++)
        if ((config_keys[i].flags & KEY_LATER) && !is_named_above(&config_keys[i])) {
            buf_print(out, "%s`%s`", glue, config_keys[i].path);
            glue = ", ";
        }
    buf_add_text(out, ".\n");
}

/* The table of keys as a JSON Schema: see the header. */
#include "cli/config_schema.h"

#include "bridge/config_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as the table of keys. */

/* What a scalar of each type looks like; maps and lists are made from their rows. */
static const char *const shapes[] = {
    [KEY_DURATION] = "\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h)$\"",
    [KEY_SIZE] = "\"type\":\"string\",\"pattern\":\"^[0-9]+(B|[KMG]i?B)$\"",
    [KEY_INT] = "\"type\":\"integer\"",
    [KEY_TEXT] = "\"type\":[\"string\",\"number\",\"boolean\"]",
    [KEY_NAME] = "\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_.-]{0,64}$\"",
    [KEY_PATH] = "\"type\":\"string\"",
    [KEY_ADDRESS] = "\"type\":\"string\"",
    [KEY_RATE] = "\"type\":\"string\"",
    [KEY_SECRET] = "\"type\":\"string\"",
    [KEY_WORD] = "\"type\":\"string\"",
    [KEY_CHOICE] = "\"type\":\"string\"",
    [KEY_SWITCH] = "\"enum\":[true,false,\"on\",\"off\"]",
    [KEY_TEXTS] = "\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}",
    [KEY_ORIGINS] = "\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}",
    [KEY_PREFIXES] = "\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}",
    [KEY_SECRETS] = "\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}",
    [KEY_WORDS] = "\"type\":[\"string\",\"array\"]",
    [KEY_KEY_ITEMS] = "\"type\":[\"string\",\"array\"]",
    [KEY_MAP] = "\"type\":\"object\"",
    [KEY_LIST] = "\"type\":\"array\"",
    [KEY_TEMPLATE] = NULL,
    [KEY_TEXT_TEMPLATE] = "\"type\":\"string\"",
    [KEY_ROOM_TEMPLATE] = "\"type\":\"string\"",
    [KEY_PATTERN] = "\"type\":\"string\"",
    [KEY_EVENT] = "\"type\":\"string\"",
    [KEY_CONTRACT] = "\"type\":[\"string\",\"object\",\"boolean\"]",
    [KEY_ANY] = NULL,
};

static void add_words(struct buf *out, const struct config_key *key)
{
    const char *glue = "";

    if (!key->words || key->type == KEY_ADDRESS)
        return;
    buf_add_text(out, key->type == KEY_WORDS ? ",\"items\":{\"enum\":[" : ",\"enum\":[");
    for (size_t i = 0; key->words[i]; i++) {
        if (key->words[i][0] == '~')
            continue;
        buf_print(out, "%s\"%s\"", glue, key->words[i]);
        glue = ",";
    }
    buf_add_text(out, key->type == KEY_WORDS ? "]}" : "]");
}

static void add_key(struct buf *out, const struct config_key *key);

/* Whether KEY_file has a row of its own. */
static bool has_file_row(const struct config_key *key)
{
    char path[CONFIG_KEY_PATH_BYTES];

    snprintf(path, sizeof path, "%s_file", key->path);
    return config_key_option(slice_of(path)) != NULL;
}

/* Of the rows directly below `parent`. As deep as the table. */
static void add_properties(struct buf *out, const struct config_key *parent)
{
    const struct config_key *any = NULL;
    const char *glue = "", *name;

    buf_add_text(out, "\"properties\":{");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!config_key_is_below(key, parent, &name) || (key->flags & KEY_LATER))
            continue;
        if (strcmp(name, "*") == 0 && !(key->flags & KEY_EXACT)) {
            any = key;
            continue;
        }
        buf_print(out, "%s\n\"%s\":", glue, name);
        glue = ",";
        add_key(out, key);
        if (config_key_is_secret(key) && !has_file_row(key))
            buf_print(out, ",\n\"%s_file\":{\"type\":\"string\"}", name);
    }
    buf_add_text(out, "},\"additionalProperties\":");
    if (any)
        add_key(out, any);
    else
        buf_add_text(out, "false");
}

static void add_default(struct buf *out, const struct config_key *key)
{
    if (!key->fallback || !key->fallback[0])
        return;
    buf_add_text(out, ",\"default\":");
    if (key->type == KEY_INT)
        buf_add_text(out, key->fallback);
    else
        buf_add_json_string(out, slice_of(key->fallback));
}

static void add_key(struct buf *out, const struct config_key *key)
{
    const struct config_key *item = config_key_item(key);

    buf_add_text(out, "{\"description\":");
    buf_add_json_string(out, slice_of(key->doc));
    if (shapes[key->type])
        buf_print(out, ",%s", shapes[key->type]);
    add_words(out, key);
    if (key->type == KEY_INT)
        buf_print(out, ",\"minimum\":%" PRIu64 ",\"maximum\":%" PRIu64, key->min,
                  key->max);
    add_default(out, key);
    if (key->type == KEY_LIST && item) {
        buf_add_text(out, ",\"items\":");
        add_key(out, item);
    }
    if (key->type == KEY_MAP) {
        buf_add_byte(out, ',');
        add_properties(out, key);
    }
    buf_add_byte(out, '}');
}

void config_schema_print(struct buf *out)
{
    buf_add_text(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
                      "\"title\":\"sidecast.yaml\",\"type\":\"object\",");
    add_properties(out, NULL);
    buf_add_text(out, "}\n");
}

/* NOLINTEND(misc-no-recursion) */

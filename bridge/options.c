/* Values of options and where they came from: see the header. */
#include "bridge/options.h"

#include "proto/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value {
    char *text;
    enum option_source source;
    struct place place;
};

struct options {
    struct value values[CONFIG_KEY_MAX_COUNT]; /* beside the rows of the table */
};

/* `key` is the path of an option. */
static const struct value *value_of(const struct options *options, const char *key)
{
    return &options->values[config_key_option(slice_of(key)) - config_keys];
}

struct options *options_create(void)
{
    struct options *options = calloc(1, sizeof *options);

    for (size_t i = 0; options && i < config_key_count; i++) {
        if (!config_key_is_option(&config_keys[i]))
            continue;
        options->values[i].text = strdup(config_keys[i].fallback);
        if (!options->values[i].text) {
            options_destroy(options);
            return NULL;
        }
    }
    return options;
}

void options_destroy(struct options *options)
{
    if (!options)
        return;
    for (size_t i = 0; i < config_key_count; i++)
        free(options->values[i].text);
    free(options);
}

/* A key of the table that is no option. */
static bool is_known(struct slice key, char error[OPTIONS_ERROR_BYTES])
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *row = &config_keys[i];
        if (!slice_is(key, row->path))
            continue;
        snprintf(error, OPTIONS_ERROR_BYTES, "%s %s", row->path,
                 config_key_is_later(row) ? "is not built yet"
                                          : "can be said in the configuration file only");
        return true;
    }
    return false;
}

static enum status unknown_key(struct slice key, char error[OPTIONS_ERROR_BYTES])
{
    const char *keys[CONFIG_KEY_MAX_COUNT];
    size_t count = 0;

    if (is_known(key, error))
        return ST_NOT_FOUND;

    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_option(&config_keys[i]))
            keys[count++] = config_keys[i].path;
    const char *nearest = suggest_nearest(key, keys, count);
    int len = snprintf(error, OPTIONS_ERROR_BYTES, "unknown key \"%.*s\"",
                       (int)slice_first(key, 100).len, key.ptr ? key.ptr : "");
    if (nearest)
        snprintf(error + len, (size_t)(OPTIONS_ERROR_BYTES - len),
                 ": did you mean \"%s\"?", nearest);
    return ST_NOT_FOUND;
}

static enum status put(struct options *options, enum option_source source,
                       const struct config_key *key, struct slice text,
                       struct place place, char error[OPTIONS_ERROR_BYTES])
{
    struct value *value = &options->values[key - config_keys];
    enum status st = config_value_check(key, key->path, text, error);

    if (st || source < value->source)
        return st;
    char *copy = slice_dup(text);
    if (!copy) {
        snprintf(error, OPTIONS_ERROR_BYTES, "out of memory");
        return ST_NO_MEMORY;
    }
    free(value->text);
    *value = (struct value){copy, source, place};
    return ST_OK;
}

enum status options_put(struct options *options, enum option_source source,
                        struct slice key, struct slice text,
                        char error[OPTIONS_ERROR_BYTES])
{
    const struct config_key *row = config_key_option(key);

    return row ? put(options, source, row, text, (struct place){0}, error)
               : unknown_key(key, error);
}

enum status options_put_at(struct options *options, const struct config_key *key,
                           struct slice text, struct place place,
                           char error[OPTIONS_ERROR_BYTES])
{
    return put(options, OPTION_FILE, key, text, place, error);
}

bool options_forget(struct options *options, const char *key)
{
    const struct config_key *row = config_key_option(slice_of(key));
    struct value *value = &options->values[row - config_keys];
    char *text = strdup(row->fallback);

    if (!text)
        return false;
    free(value->text);
    value->text = text;
    value->source = OPTION_DEFAULT;
    value->place = (struct place){0};
    return true;
}

enum status options_put_flag(struct options *options, const char *assignment,
                             char error[OPTIONS_ERROR_BYTES])
{
    struct slice key, value;

    if (!slice_cut(slice_of(assignment), '=', &key, &value)) {
        snprintf(error, OPTIONS_ERROR_BYTES,
                 "--set needs KEY=VALUE, for instance --set gateway.ping_interval=5s");
        return ST_BAD_REQUEST;
    }
    const struct config_key *row = config_key_option(key);
    if (row && config_key_is_secret(row)) {
        snprintf(error, OPTIONS_ERROR_BYTES,
                 "%s is a secret and everybody can read flags: put it in the "
                 "environment or in a file",
                 row->path);
        return ST_FORBIDDEN;
    }
    return options_put(options, OPTION_FLAG, key, value, error);
}

void options_resolve(const struct options *options, struct config *config)
{
    /* Every text was checked when it was put, or stands in the table. */
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_option(&config_keys[i]))
            config_value_store(&config_keys[i], options->values[i].text, config);
    config->limits.is_connections_set =
        options_source(options, "limits.connections") != OPTION_DEFAULT;
    config->limits.is_per_ip_set =
        options_source(options, "limits.connections_per_ip") != OPTION_DEFAULT;
    config->limits.is_handshakes_set =
        options_source(options, "limits.handshakes") != OPTION_DEFAULT;
}

const char *options_text(const struct options *options, const char *key)
{
    return value_of(options, key)->text;
}

enum option_source options_source(const struct options *options, const char *key)
{
    return value_of(options, key)->source;
}

struct place options_place(const struct options *options, const char *key)
{
    return value_of(options, key)->place;
}

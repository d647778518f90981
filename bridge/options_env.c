/* Options in the environment: SIDECAST_GATEWAY_PING_INTERVAL=5s. See bridge/options.h. */
#include "bridge/options.h"

#include "bridge/options_table.h"
#include "bridge/secret_file.h"
#include "proto/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 80
};

/* Names of ours that are no options: for other commands, for children, and what container
 * systems set for a service called "sidecast". A final '*' is any rest. */
static const char *const other_names[] = {
    "SIDECAST_URL",    "SIDECAST_API_KEY",   "SIDECAST_PORT*",      "SIDECAST_SERVICE_*",
    "SIDECAST_CONFIG", "SIDECAST_STATUS_FD", "SIDECAST_LISTEN_FD*",
};

/* "gateway.ping_interval" → "SIDECAST_GATEWAY_PING_INTERVAL" */
static void name_of(const struct option *row, char name[NAME_BYTES])
{
    size_t len = (size_t)snprintf(name, NAME_BYTES, "SIDECAST_%s", row->key);

    for (size_t i = 0; i < len; i++)
        name[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
}

/* The row of a variable; `*is_file` when its name ends in _FILE and the row is a secret.
 */
static const struct option *row_of(struct slice variable, bool *is_file)
{
    char name[NAME_BYTES];

    for (size_t i = 0; i < option_count; i++) {
        const struct option *row = &option_table[i];
        name_of(row, name);
        *is_file = false;
        if (slice_is(variable, name))
            return row;
        *is_file = row->type == OPTION_SECRET && slice_starts_with(variable, name) &&
                   slice_is(slice_from(variable, strlen(name)), "_FILE");
        if (*is_file)
            return row;
    }
    return NULL;
}

static bool is_other(struct slice variable)
{
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
        struct slice name = slice_of(other_names[i]);
        bool is_prefix = name.ptr[name.len - 1] == '*';
        size_t len = is_prefix ? name.len - 1 : variable.len;
        if (slice_equal(slice_first(variable, len),
                        is_prefix ? slice_first(name, len) : name))
            return true;
    }
    return false;
}

static enum status unknown_name(struct slice variable, char error[OPTIONS_ERROR_BYTES])
{
    char names[OPTION_MAX_COUNT][NAME_BYTES];
    const char *words[OPTION_MAX_COUNT];

    for (size_t i = 0; i < option_count; i++) {
        name_of(&option_table[i], names[i]);
        words[i] = names[i];
    }
    const char *nearest = suggest_nearest(variable, words, option_count);
    int len = snprintf(error, OPTIONS_ERROR_BYTES, "unknown variable %.*s",
                       (int)slice_first(variable, 100).len, variable.ptr);
    if (nearest)
        snprintf(error + len, (size_t)(OPTIONS_ERROR_BYTES - len), ": did you mean %s?",
                 nearest);
    return ST_NOT_FOUND;
}

/* The row "KEY_file", where there is one: a secret that may change under way. */
static const struct option *file_row_of(const struct option *row)
{
    size_t len = strlen(row->key);

    for (size_t i = 0; i < option_count; i++) {
        struct slice name = slice_of(option_table[i].key);
        if (slice_starts_with(name, row->key) && slice_is(slice_from(name, len), "_file"))
            return &option_table[i];
    }
    return NULL;
}

/* A file that can be read again goes by its name, where somebody looks after it. */
static enum status put_file(struct options *options, const struct option *row,
                            const char *path, char error[OPTIONS_ERROR_BYTES])
{
    const struct option *file_row = file_row_of(row);
    char *text;
    const char *reason;

    if (file_row && secret_file_is_regular(path))
        return options_put(options, OPTION_ENV, slice_of(file_row->key), slice_of(path),
                           error);
    enum status st = secret_file_read(path, &text, &reason);

    if (st) {
        snprintf(error, OPTIONS_ERROR_BYTES, "%s: cannot read %.150s: %.60s", row->key,
                 path, reason);
        return st;
    }
    st = options_put(options, OPTION_ENV, slice_of(row->key), slice_of(text), error);
    free(text);
    return st;
}

static bool has_variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return true;
    return false;
}

enum status options_put_environment(struct options *options, char *const *environment,
                                    char error[OPTIONS_ERROR_BYTES])
{
    for (char *const *at = environment; *at; at++) {
        struct slice variable, text;
        char name[NAME_BYTES];
        bool is_file;

        if (strncmp(*at, "SIDECAST_", 9) != 0 ||
            !slice_cut(slice_of(*at), '=', &variable, &text))
            continue;
        const struct option *row = row_of(variable, &is_file);
        if (!row && is_other(variable))
            continue;
        if (!row)
            return unknown_name(variable, error);

        name_of(row, name);
        if (is_file && has_variable(environment, name)) {
            snprintf(error, OPTIONS_ERROR_BYTES, "%s and %s_FILE are both set: keep one",
                     name, name);
            return ST_CONFLICT;
        }
        enum status st =
            is_file ? put_file(options, row, *at + variable.len + 1, error)
                    : options_put(options, OPTION_ENV, slice_of(row->key), text, error);
        if (st)
            return st;
    }
    return ST_OK;
}

static bool is_option(const char *entry)
{
    struct slice variable, text;
    bool is_file;

    return slice_cut(slice_of(entry), '=', &variable, &text) &&
           row_of(variable, &is_file);
}

/* Adds one entry, and its bytes; with `strings` NULL only counts them. */
static void add_entry(char **entries, char *strings, size_t *count, size_t *bytes,
                      const char *name, const char *glue, const char *text)
{
    size_t len = strlen(name) + strlen(glue) + strlen(text) + 1;

    if (strings) {
        entries[*count] = strings + *bytes;
        snprintf(strings + *bytes, len, "%s%s%s", name, glue, text);
    }
    *bytes += len;
    *count += 1;
}

static void add_all(const struct options *options, char *const *environment,
                    char **entries, char *strings, size_t *count, size_t *bytes)
{
    *count = *bytes = 0;
    for (; *environment; environment++)
        if (!is_option(*environment))
            add_entry(entries, strings, count, bytes, *environment, "", "");
    for (size_t i = 0; i < option_count; i++) {
        char name[NAME_BYTES];
        const char *key = option_table[i].key;
        if (options_source(options, key) == OPTION_DEFAULT)
            continue;
        name_of(&option_table[i], name);
        add_entry(entries, strings, count, bytes, name, "=", options_text(options, key));
    }
}

char **options_child_environment(const struct options *options, char *const *environment)
{
    size_t count, bytes;

    add_all(options, environment, NULL, NULL, &count, &bytes);
    char **entries = malloc((count + 1) * sizeof *entries + bytes);
    if (!entries)
        return NULL;
    char *strings = (char *)(entries + count + 1);
    add_all(options, environment, entries, strings, &count, &bytes);
    entries[count] = NULL;
    return entries;
}

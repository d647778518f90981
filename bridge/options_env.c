/* Options in the environment: SIDECAST_GATEWAY_PING_INTERVAL=5s. See bridge/options.h. */
#include "bridge/options.h"

#include "bridge/secret_file.h"
#include "proto/suggest.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names of ours that are no options: for other commands and for children. A final '*' is
 * any rest. */
static const char *const other_names[] = {
    "SIDECAST_URL",       "SIDECAST_API_KEY",    "SIDECAST_CONFIG",
    "SIDECAST_STATUS_FD", "SIDECAST_LISTEN_FD*",
};

void options_variable(const struct config_key *key, char name[OPTIONS_NAME_BYTES])
{
    size_t len = (size_t)snprintf(name, OPTIONS_NAME_BYTES, "SIDECAST_%s", key->path);

    for (size_t i = 0; i < len; i++)
        name[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
}

/* The option of a variable; `*is_file` when its name ends in _FILE and it is a secret. */
static const struct config_key *row_of(struct slice variable, bool *is_file)
{
    char name[OPTIONS_NAME_BYTES];

    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *row = &config_keys[i];
        if (!config_key_is_option(row))
            continue;
        options_variable(row, name);
        *is_file = false;
        if (slice_is(variable, name))
            return row;
        *is_file = config_key_is_secret(row) && slice_starts_with(variable, name) &&
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

static bool has_part(struct slice name, const char *part)
{
    return memmem(name.ptr, name.len, part, strlen(part)) != NULL;
}

/* What container systems set for a service called "sidecast" or "sidecast-api":
 * SIDECAST_API_SERVICE_HOST=10.0.0.1, SIDECAST_API_PORT=tcp://10.0.0.1:80 and the like.
 */
static bool is_of_a_service(struct slice name, struct slice value)
{
    bool is_port = has_part(name, "_PORT_") || has_part(value, "://");

    return has_part(name, "_SERVICE_HOST") || has_part(name, "_SERVICE_PORT") ||
           (is_port && has_part(name, "_PORT"));
}

static void unknown_name(struct slice variable, struct faults *faults)
{
    char names[CONFIG_KEY_MAX_COUNT][OPTIONS_NAME_BYTES];
    const char *words[CONFIG_KEY_MAX_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < config_key_count; i++) {
        if (!config_key_is_option(&config_keys[i]))
            continue;
        options_variable(&config_keys[i], names[count]);
        words[count] = names[count];
        count++;
    }
    const char *nearest = suggest_nearest(variable, words, count);
    faults_add(faults, (struct place){0}, NULL, "unknown variable %.*s%s%s%s",
               (int)slice_first(variable, 100).len, variable.ptr,
               nearest ? ": did you mean " : "", nearest ? nearest : "",
               nearest ? "?" : "");
}

/* The row "KEY_file", where there is one: a secret that may change under way. */
static const struct config_key *file_row_of(const struct config_key *row)
{
    char path[CONFIG_KEY_PATH_BYTES];

    snprintf(path, sizeof path, "%s_file", row->path);
    return config_key_option(slice_of(path));
}

/* A file that can be read again goes by its name, where somebody looks after it. */
static enum status put_file(struct options *options, const struct config_key *row,
                            const char *path, char error[OPTIONS_ERROR_BYTES])
{
    const struct config_key *file_row = file_row_of(row);
    char *text;
    const char *reason;

    if (file_row && secret_file_is_regular(path))
        return options_put(options, OPTION_ENV, slice_of(file_row->path), slice_of(path),
                           error);
    enum status st = secret_file_read(path, &text, &reason);

    if (st) {
        snprintf(error, OPTIONS_ERROR_BYTES, "%s: cannot read %.150s: %.60s", row->path,
                 path, reason);
        return st;
    }
    st = options_put(options, OPTION_ENV, slice_of(row->path), slice_of(text), error);
    free(text);
    return st;
}

/* The value of a variable, or NULL. */
static const char *find_variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

static void put_variable(struct options *options, const char *entry,
                         char *const *environment, struct faults *faults)
{
    char name[OPTIONS_NAME_BYTES], error[OPTIONS_ERROR_BYTES];
    struct slice variable, text;
    bool is_file;

    if (!slice_cut(slice_of(entry), '=', &variable, &text))
        return;
    const struct config_key *row = row_of(variable, &is_file);
    if (!row) {
        if (!is_other(variable) && !is_of_a_service(variable, text))
            unknown_name(variable, faults);
        return;
    }
    options_variable(row, name);
    if (is_file && find_variable(environment, name)) {
        faults_add(faults, (struct place){0}, NULL,
                   "%s and %s_FILE are both set: keep one", name, name);
        return;
    }
    enum status st =
        is_file ? put_file(options, row, entry + variable.len + 1, error)
                : options_put(options, OPTION_ENV, slice_of(row->path), text, error);
    if (st)
        faults_add(faults, (struct place){0}, NULL, "%s", error);
}

/* systemd's LoadCredential=auth.jwt.hmac_secret:FILE. A variable is stronger. */
static void put_credentials(struct options *options, const char *folder,
                            struct faults *faults)
{
    char path[PATH_MAX], error[OPTIONS_ERROR_BYTES];

    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *row = &config_keys[i];
        if (!config_key_is_option(row) || !config_key_is_secret(row))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, row->path);
        if (access(path, F_OK) == 0 && put_file(options, row, path, error))
            faults_add(faults, (struct place){0}, NULL, "%s", error);
    }
}

void options_put_environment(struct options *options, char *const *environment,
                             struct faults *faults)
{
    const char *credentials = find_variable(environment, "CREDENTIALS_DIRECTORY");

    if (credentials)
        put_credentials(options, credentials, faults);
    for (char *const *at = environment; *at; at++)
        if (strncmp(*at, "SIDECAST_", 9) == 0)
            put_variable(options, *at, environment, faults);
}

static bool is_replaced(const char *entry)
{
    struct slice variable, text;
    bool is_file;

    return slice_cut(slice_of(entry), '=', &variable, &text) &&
           (slice_is(variable, "SIDECAST_CONFIG") || row_of(variable, &is_file));
}

/* The entries of an environment in one piece; without memory it only counts. */
struct collection {
    char **entries;
    char *strings;
    size_t count, bytes;
};

static void add_entry(struct collection *all, const char *name, const char *glue,
                      const char *text)
{
    size_t len = strlen(name) + strlen(glue) + strlen(text) + 1;

    if (all->strings) {
        all->entries[all->count] = all->strings + all->bytes;
        snprintf(all->strings + all->bytes, len, "%s%s%s", name, glue, text);
    }
    all->bytes += len;
    all->count++;
}

static void add_all(struct collection *all, const struct options *options,
                    const char *file, char *const *environment)
{
    for (; *environment; environment++)
        if (!is_replaced(*environment))
            add_entry(all, *environment, "", "");
    for (size_t i = 0; i < config_key_count; i++) {
        char name[OPTIONS_NAME_BYTES];
        const char *key = config_keys[i].path;
        if (!config_key_is_option(&config_keys[i]) ||
            options_source(options, key) <= OPTION_FILE)
            continue;
        options_variable(&config_keys[i], name);
        add_entry(all, name, "=", options_text(options, key));
    }
    add_entry(all, "SIDECAST_CONFIG", "=", file ? file : "");
}

char **options_child_environment(const struct options *options, const char *file,
                                 char *const *environment)
{
    struct collection size = {0}, all = {0};

    add_all(&size, options, file, environment);
    all.entries = malloc((size.count + 1) * sizeof *all.entries + size.bytes);
    if (!all.entries)
        return NULL;
    all.strings = (char *)(all.entries + size.count + 1);
    add_all(&all, options, file, environment);
    all.entries[all.count] = NULL;
    return all.entries;
}

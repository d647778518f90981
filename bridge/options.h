/*
 * Options: the keys that have one value each (bridge/config_keys.h), with their values
 * and where these came from. Values come in any order of sources; the higher source wins.
 */
#ifndef BRIDGE_OPTIONS_H
#define BRIDGE_OPTIONS_H

#include "bridge/config_value.h"
#include "proto/faults.h"

enum {
    OPTIONS_ERROR_BYTES = CONFIG_ERROR_BYTES
};

/* The later, the stronger. */
enum option_source {
    OPTION_DEFAULT,
    OPTION_FILE,
    OPTION_ENV,
    OPTION_FLAG
};

/* All values and where each came from. */
struct options;

/* Gives the defaults (options_destroy), or NULL when out of memory. */
struct options *options_create(void);
void options_destroy(struct options *options);

/*
 * Borrows `key` ("gateway.ping_interval") and `text` ("25s"). Does nothing when a
 * stronger source has spoken. On ST_NOT_FOUND (no such key), ST_BAD_PAYLOAD (no such
 * value) and ST_NO_MEMORY nothing has changed and `error` says what to write instead;
 * never a byte of a secret.
 */
enum status options_put(struct options *options, enum option_source source,
                        struct slice key, struct slice text,
                        char error[OPTIONS_ERROR_BYTES]);

/* The same for a value of the file, which stands at `place`; keeps place.file. */
enum status options_put_at(struct options *options, const struct config_key *key,
                           struct slice text, struct place place,
                           char error[OPTIONS_ERROR_BYTES]);
/* Back to the default, wherever the value came from. `key` is one of the table. False
 * when out of memory: nothing has changed. */
bool options_forget(struct options *options, const char *key);

/* `--set KEY=VALUE`. ST_FORBIDDEN: a secret, which the process list would show. */
enum status options_put_flag(struct options *options, const char *assignment,
                             char error[OPTIONS_ERROR_BYTES]);

/*
 * All SIDECAST_… of `environment` (NULL ends it); NAME_FILE reads a secret from a file,
 * as does a file named like the key in $CREDENTIALS_DIRECTORY. Adds a fault, without a
 * place, for each that makes no sense.
 */
void options_put_environment(struct options *options, char *const *environment,
                             struct faults *faults);

/* The numbers and texts that the parts are handed; texts are lent by `options` until its
 * next change. */
void options_resolve(const struct options *options, struct config *config);

/* Lends the value's text. `key` is the path of an option. */
const char *options_text(const struct options *options, const char *key);
enum option_source options_source(const struct options *options, const char *key);
/* Of a value of the file; zeroed otherwise. */
struct place options_place(const struct options *options, const char *key);

/* "SIDECAST_GATEWAY_PING_INTERVAL", the variable of an option. */
enum {
    OPTIONS_NAME_BYTES = 9 + CONFIG_KEY_PATH_BYTES
};
void options_variable(const struct config_key *key, char name[OPTIONS_NAME_BYTES]);

/*
 * `environment` as a child needs it to come to the same values: without the variables of
 * options, with one for each value of flags and environment (secrets too), and with
 * SIDECAST_CONFIG for the file, "" for none. Gives an array that NULL ends, in one piece
 * (free), or NULL when out of memory.
 */
char **options_child_environment(const struct options *options, const char *file,
                                 char *const *environment);

#endif

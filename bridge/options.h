/*
 * The option table: every scalar that a user may set, with its type, default and meaning.
 * It is the only source: what reads flags, the environment or a file asks here. Values
 * come in any order of sources; the higher source wins.
 */
#ifndef BRIDGE_OPTIONS_H
#define BRIDGE_OPTIONS_H

#include "bridge/config.h"
#include "proto/slice.h"
#include "proto/status.h"

enum {
    OPTIONS_ERROR_BYTES = 320 /* one sentence and its terminator */
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

/* Back to the default, wherever the value came from. `key` is one of the table. False
 * when out of memory: nothing has changed. */
bool options_forget(struct options *options, const char *key);

/* `--set KEY=VALUE`. ST_FORBIDDEN: a secret, which the process list would show. */
enum status options_put_flag(struct options *options, const char *assignment,
                             char error[OPTIONS_ERROR_BYTES]);

/* All SIDECAST_… of `environment` (NULL ends it); NAME_FILE reads a secret from a file,
 * or sets the row KEY_file where there is one and the file can be read again. */
enum status options_put_environment(struct options *options, char *const *environment,
                                    char error[OPTIONS_ERROR_BYTES]);

/* The numbers and texts that the parts are handed; texts are lent by `options` until its
 * next change. */
void options_resolve(const struct options *options, struct config *config);

/* Lends the value's text. `key` is one of the table. */
const char *options_text(const struct options *options, const char *key);
enum option_source options_source(const struct options *options, const char *key);

/*
 * `environment` as a child needs it to come to the same values: without the variables of
 * options, with one for each value that is not the default (secrets too). Gives an array
 * that NULL ends, in one piece (free), or NULL when out of memory.
 */
char **options_child_environment(const struct options *options, char *const *environment);

#endif

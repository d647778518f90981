/*
 * One value of a configuration: whether a text is one for its key, and what it means.
 * Pure.
 */
#ifndef BRIDGE_CONFIG_VALUE_H
#define BRIDGE_CONFIG_VALUE_H

#include "bridge/config_keys.h"
#include "proto/status.h"

enum {
    CONFIG_ERROR_BYTES = 320 /* one sentence and its terminator */
};

/*
 * Borrows `text`. `name` is how the key is called in the sentence: "rooms[1].match". On
 * ST_BAD_PAYLOAD `error` says what to write instead; never a byte of a secret.
 */
enum status config_value_check(const struct config_key *key, const char *name,
                               struct slice text, char error[CONFIG_ERROR_BYTES]);

/* Writes what a checked text means to its place in `config`; texts are lent by `text`. */
void config_value_store(const struct config_key *key, const char *text,
                        struct config *config);

/* "50ms" or "1MiB" or "64": a number as one would write it for this key. */
void config_value_print(const struct config_key *key, uint64_t number, char *out,
                        size_t size);

#endif

/*
 * A file of API keys: YAML, `name: {key: sk_…, scopes: [publish, admin], rooms:
 * ["project:*"], events: ["project.*"]}` each; or keys alone. Loop thread only.
 */
#ifndef PUBLISHER_API_API_KEYS_FILE_H
#define PUBLISHER_API_API_KEYS_FILE_H

#include "proto/faults.h"
#include "publisher-api/api_keys.h"

/* Adds the keys of the file to `keys`. Without `scopes` a key publishes, without `rooms`
 * and `events` anything. False: at least one fault was added, none with a byte of a key;
 * `path` is kept by their places. */
bool api_keys_add_file(struct api_keys *keys, const char *path, struct faults *faults);

#endif

/*
 * The API keys that are in force: those of the configuration and those of its file, which
 * is looked at twice a second. What cannot be used changes nothing: the old keys stay,
 * and the log says why. Loop thread.
 */
#ifndef PUBLISHER_API_API_KEYS_WATCH_H
#define PUBLISHER_API_API_KEYS_WATCH_H

#include "bridge/config.h"
#include "bridge/logger.h"
#include "proto/faults.h"
#include "publisher-api/api_keys.h"

#include <uv.h>

struct api_keys_watch;

/* Keeps the first three. Gives a watch (api_keys_watch_destroy), or NULL when the keys
 * cannot be used; the log has said why. */
struct api_keys_watch *api_keys_watch_create(uv_loop_t *loop, const struct logger *log,
                                             const struct config_publisher *settings);

/* Lends the set, the same one as long as the watch lives. */
struct api_keys *api_keys_watch_keys(const struct api_keys_watch *watch);

/* Takes what the settings name now. False: nothing has changed, and `*reason`, which is
 * good until the next try, says why. */
bool api_keys_watch_reload(struct api_keys_watch *watch, const char **reason);

/* The keys end with it; its own memory goes when the loop has run the handle out. */
void api_keys_watch_destroy(struct api_keys_watch *watch);

/* Gives the keys that the settings name (api_keys_destroy), or NULL after at least one
 * fault was added, whose place keeps the name of the file. */
struct api_keys *api_keys_of(const struct config_publisher *settings,
                             struct faults *faults);

#endif

/*
 * Rotation: looks at the files of token keys twice a second, and when told to, and puts
 * what they say now into the set that everybody holds. A file that cannot be used changes
 * nothing: the old keys stay, and the log has one line for each such content. Loop
 * thread.
 */
#ifndef CLI_TOKEN_WATCH_H
#define CLI_TOKEN_WATCH_H

#include "bridge/logger.h"
#include "cli/token_keys_load.h"

#include <uv.h>

struct token_watch;

/*
 * Loads the keys and gives a watch (token_watch_destroy). Keeps the first three until
 * then. NULL: `reason` (TOKEN_KEYS_REASON_BYTES) is a sentence.
 */
struct token_watch *token_watch_create(uv_loop_t *loop, const struct logger *log,
                                       const struct config_auth *auth,
                                       char reason[TOKEN_KEYS_REASON_BYTES]);

/* Lends the set, the same one as long as the watch lives. */
struct token_keys *token_watch_keys(const struct token_watch *watch);

/*
 * Reads the files again, whether they look changed or not, and logs what came of it. Keys
 * of an address that is another one now stay until that one has said its own.
 */
void token_watch_reload(struct token_watch *watch);

/* The keys end with it; its own memory goes when the loop has run the handle out. */
void token_watch_destroy(struct token_watch *watch);

#endif

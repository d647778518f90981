/*
 * Token keys from auth.jwt.jwks_url: fetched at the start, every few minutes, and when a
 * token names a key that is not known, but then at most each 30 s. What was fetched last
 * and could be used stays until something better comes. Loop thread.
 */
#ifndef CLI_TOKEN_URL_H
#define CLI_TOKEN_URL_H

#include "bridge/logger.h"
#include "bridge/token.h"

#include <uv.h>

struct token_url;

/* The key set at the url is another one from now on. */
typedef void token_url_changed_fn(void *ctx);

/*
 * `waits`, for 5 s at most, for the first answer; without one it is asked for again.
 * `algs` are bits of the algorithms that are taken; secrets never are. Copies `url`;
 * keeps the rest. NULL when out of memory.
 */
struct token_url *token_url_create(uv_loop_t *loop, const struct logger *log,
                                   const char *url, unsigned algs, bool waits,
                                   token_url_changed_fn *on_changed, void *ctx);
void token_url_destroy(struct token_url *source);

/* Lends the url. */
const char *token_url_name(const struct token_url *source);

/* Whether it has ever said something that could be used. */
bool token_url_has_keys(const struct token_url *source);

/* Other algorithms are taken from now on, also of the keys that came already. */
void token_url_take(struct token_url *source, unsigned algs);

/* Adds what is known of its keys to `keys`. */
void token_url_add(const struct token_url *source, struct token_keys *keys);

/* A token named a key that nobody knows: perhaps it is a new one. */
void token_url_ask(struct token_url *source);

#endif

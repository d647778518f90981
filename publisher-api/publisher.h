/*
 * The publisher: HTTP in, the log out. Two listeners, the API and (if wanted) ops, each a
 * front with its own table of routes. The caller opens everything it stands on and owns
 * it. Loop thread only.
 */
#ifndef PUBLISHER_API_PUBLISHER_H
#define PUBLISHER_API_PUBLISHER_H

#include "bridge/config.h"
#include "bridge/engine.h"
#include "bridge/fd_pass.h"
#include "bridge/lifecycle.h"
#include "bridge/token.h"
#include "proto/system.h"

struct publisher;

/* All pointers are kept until publisher_destroy. */
struct publisher_config {
    uv_loop_t *loop;
    const struct logger *log;
    struct metrics *metrics;
    struct engine *engine; /* open, ENGINE_LOG */
    const struct config_publisher *settings;
    const struct config_web *web;
    struct token_keys *keys;           /* for callers with a JWT; NULL: API keys alone */
    struct system *system;             /* shares; NULL: what holds without a file */
    const struct lifecycle *lifecycle; /* what /readyz says */
    const char *version;
    int listen_fd; /* takes; listening; -1: gateways listen for it, and hand on by `pass`
                    */
    struct fd_pass *pass; /* takes; NULL: none */
    int ops_fd;           /* takes; listening; -1: no ops listener */
};

/*
 * Gives a publisher (publisher_destroy) that answers from now on, or NULL and `*reason`,
 * a sentence for the operator. The two descriptors and `pass` are taken either way.
 */
struct publisher *publisher_create(const struct publisher_config *config,
                                   const char **reason);

/*
 * Other tables from now on, which it shares, and what `settings` and `web` say now: keys,
 * proxies. False: nothing has changed, and `*reason` says why.
 */
bool publisher_reload(struct publisher *publisher, struct system *system,
                      const char **reason);

/*
 * No accept after it. What the engine has been given is still answered, once it is kept;
 * what is half read has a moment to become whole, and then gets 503 E_DRAINING. `on_done`
 * runs once, when no answer is outstanding; the caller bounds the wait.
 */
void publisher_drain(struct publisher *publisher, void (*on_done)(void *ctx), void *ctx);

/*
 * Without a drain, or after it. Memory goes when the loop has run its handles out. What
 * the engine still holds may be answered afterwards: nobody is told.
 */
void publisher_destroy(struct publisher *publisher);

#endif

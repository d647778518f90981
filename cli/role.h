/*
 * One role's process: builds loop, keys, engine and lifecycle, hands them to the server
 * of the role, runs, drains and ends.
 */
#ifndef CLI_ROLE_H
#define CLI_ROLE_H

#include "bridge/engine.h"
#include "bridge/fd_pass.h"
#include "bridge/lifecycle.h"
#include "bridge/token.h"
#include "cli/invocation.h"
#include "cli/token_watch.h"

struct mount_rules;

/* What every server stands on. Lives as long as the process. */
struct role_parts {
    uv_loop_t loop;
    struct logger log;
    struct metrics metrics;
    struct token_watch *token_watch;
    struct token_keys *keys; /* the watch's */
    struct engine *engine;
    struct lifecycle *lifecycle;
    const struct config *config; /* with what a reload brought in */
    struct system *system;       /* the compiled tables of the configuration */
    const char *id;              /* "publisher", "g1" */
};

struct role_stop {
    uint64_t window_ms; /* how long clients may be sent away; 0: at once */
    bool has_heir;      /* another process takes over the listener, or soon will */
};

/* A role's server: one row per role. `destroy` may be called without `drain`. */
struct role_server {
    enum engine_role engine_role;
    /* NULL: it cannot; `*reason` says why. Opens its listeners itself. */
    void *(*create)(struct role_parts *parts, const char **reason);
    /* Shares `system`, the tables that hold from now on, as do the new values of what it
     * was created with. False: nothing has changed, and `*why` says why. */
    bool (*reload)(void *server, struct system *system, const char **why);
    void (*drain)(void *server, const struct role_stop *stop, void (*on_done)(void *ctx),
                  void *ctx);
    /* While it drains: nobody takes over the listener after all. NULL: never mind. */
    void (*answer_alone)(void *server);
    void (*destroy)(void *server);
    /* Whether the role is ready whenever its engine is; else the server says it. */
    bool is_ready_with_engine;
};

/*
 * Opens this process' end of what goes from one to another (fd_pass_destroy). False, with
 * `*reason`: it is needed, and cannot be had. NULL in `*pass`: there is none.
 */
bool role_open_pass(struct role_parts *parts, struct fd_pass **pass, const char **reason);

/* How old what a client that comes back has seen last can be, twice: its connection was
 * dead for a while before its window began. */
uint64_t role_mark_age_ms(const struct config *config, const struct mount_rules *mounts);

/* Gives an exit code when the role could not begin; else ends the process itself. */
int role_run(const struct role_server *server, const struct invocation *call,
             const char *id);

#endif

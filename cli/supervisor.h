/*
 * The supervisor: starts the roles as children of its own binary, with their listeners
 * already open, and keeps them running. A child that ends is started again; one that is
 * silent is killed first; one that ends for its configuration ends them all. Who serves
 * the bus is started first, and the others once it is ready; when it fails to begin for
 * 2 s, nobody is started: the bus is another one's. The children
 * live in sessions of their own, so that a key on the terminal reaches the supervisor
 * alone, and end when it ends. Loop thread only.
 */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include "bridge/logger.h"

#include <uv.h>

enum {
    SUPERVISOR_MAX_CHILDREN = 66,
    SUPERVISOR_MAX_FDS = 2,
    SUPERVISOR_STOP_MS = 1900 /* from the stop to the kill */
};

struct supervisor_fd {
    const char *name; /* "publisher": what the child asks for */
    int fd;
};

/* One child. Everything is kept. */
struct supervisor_plan {
    const char *name;        /* "g1" */
    const char *const *args; /* after the program's name; NULL ends them */
    struct supervisor_fd fds[SUPERVISOR_MAX_FDS];
    size_t fd_count;
    bool serves_bus; /* first; restarted when another one cannot reach its bus */
};

struct supervisor_config {
    uv_loop_t *loop;
    const struct logger *log;
    char *const *environment; /* the children's, without what is theirs alone */
    const struct supervisor_plan *plans;
    size_t count;

    void (*on_ready)(void *ctx); /* once: every child has said it */
    /* Once: no child is left; the code to exit with. */
    void (*on_ended)(void *ctx, int exit_code);
    void *ctx;
};

struct supervisor;

/* Gives a supervisor whose children are starting, or NULL when out of memory. */
struct supervisor *supervisor_create(const struct supervisor_config *config);

/* Passes `signum` on, now and to nobody started later: SIGHUP reloads; SIGTERM and SIGINT
 * stop, with a kill for those that take too long. */
void supervisor_signal(struct supervisor *supervisor, int signum);
/* The second signal: kills at once. */
void supervisor_kill(struct supervisor *supervisor);

/* 0: not running. */
int supervisor_pid(const struct supervisor *supervisor, size_t child);

/* After on_ended. Memory goes when the loop has run its handles out. */
void supervisor_destroy(struct supervisor *supervisor);

#endif

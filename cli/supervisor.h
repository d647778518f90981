/*
 * The supervisor: starts the roles as children of its own binary, with their listeners
 * already open, and keeps them running. A child that ends is started again; one that is
 * silent is killed first; one that ends for its configuration ends them all; when one
 * says that it stops, its twin takes its place at once. Who serves
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
    SUPERVISOR_PROMISE_MS = 1000, /* what a child's end takes, beside a window */
    SUPERVISOR_STOP_MS = 1900     /* from the stop to the kill, beside a window */
};

struct supervisor_fd {
    const char *name; /* "publisher": what the child asks for */
    int fd;
};

/* One child. Everything is kept. */
struct supervisor_plan {
    const char *name;        /* "g1" */
    const char *const *args; /* after the program's name; NULL ends them */
    /* The same for a second process, which takes the place while the first one leaves,
     * and the other way round the next time. NULL: two cannot be at a time. */
    const char *twin_name; /* "g1b" */
    const char *const *twin_args;
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
    uint64_t
        drain_ms; /* how long one that does not serve the bus may send clients away */

    void (*on_ready)(void *ctx); /* once: every child has said it */
    /* Once: no child is left; the code to exit with. */
    void (*on_ended)(void *ctx, int exit_code);
    void *ctx;
};

struct supervisor;

/* Gives a supervisor whose children are starting, or NULL when out of memory. */
struct supervisor *supervisor_create(const struct supervisor_config *config);

/* Passes `signum` on, now and to nobody started later: SIGHUP reloads, who is still
 * starting with its first word; SIGTERM and SIGINT stop, who serves the bus when the
 * others have gone, with a kill for those that take too long. */
void supervisor_signal(struct supervisor *supervisor, int signum);
/* Exchanges every child for a new one, of the program that lies by now where this one
 * was started from: the next when the last has gone. Stops at the first that does not
 * become ready: what runs then goes on. */
void supervisor_roll(struct supervisor *supervisor);
/* The second signal: kills at once. */
void supervisor_kill(struct supervisor *supervisor);

/* 0: not running. */
int supervisor_pid(const struct supervisor *supervisor, size_t child);

/* After on_ended. Memory goes when the loop has run its handles out. */
void supervisor_destroy(struct supervisor *supervisor);

#endif

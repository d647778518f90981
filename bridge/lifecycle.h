/*
 * The life of one role's process: signals, readiness, and its tie to the supervisor. Loop
 * thread.
 *
 * A child is told by SIDECAST_STATUS_FD which descriptor goes to its supervisor: it
 * writes one line per change ("ready", "not ready REASON"), "alive" once a second, and
 * "not ready draining MS" when it stops, which takes so long at most ("not ready
 * replaced" when it gives way). The supervisor then
 * starts another one for the same listener, unless it has written "alone" at any time.
 * When the other end is gone, so is the child.
 */
#ifndef BRIDGE_LIFECYCLE_H
#define BRIDGE_LIFECYCLE_H

#include "bridge/logger.h"

#include <uv.h>

struct lifecycle;

struct lifecycle_config {
    uv_loop_t *loop;
    const struct logger *log;
    /* SIGTERM, SIGINT or the supervisor's end: stop accepting, drain, then call
     * lifecycle_exit. A second signal ends the process at once,
     * unless it has a supervisor, which does so itself. */
    void (*on_stop)(void *ctx);
    /* SIGHUP. NULL: there is nothing to read again. */
    void (*on_reload)(void *ctx);
    /* While it stops: nobody takes this process' place. May be NULL. */
    void (*on_alone)(void *ctx);
    uint64_t stop_ms; /* from on_stop to the end */
    void *ctx;
};

struct lifecycle *lifecycle_create(const struct lifecycle_config *config);

/* Saying the same again does nothing. `reason` (of not ready) is one short word:
 * "bus_down", "draining". */
void lifecycle_ready(struct lifecycle *lifecycle, bool is_ready, const char *reason);
bool lifecycle_is_ready(const struct lifecycle *lifecycle);
/* Whether a supervisor starts another process in this one's place. */
bool lifecycle_has_heir(const struct lifecycle *lifecycle);
/* What came of a reload, for who asks about this process: it serves on either way. */
void lifecycle_reloaded(struct lifecycle *lifecycle, bool is_taken);
bool lifecycle_has_its_file(const struct lifecycle *lifecycle);
/* Stops as a signal does, because another process was started in this one's place: who
 * exits says so with its code. */
void lifecycle_give_way(struct lifecycle *lifecycle, const char *why);
bool lifecycle_has_given_way(const struct lifecycle *lifecycle);
/* Whether a supervisor sees to it that it lives. */
bool lifecycle_is_supervised(const struct lifecycle *lifecycle);
void lifecycle_destroy(struct lifecycle *lifecycle);

/* Flushes and ends the process without waiting for the bus library's threads. In testing
 * builds the leak check runs first. */
_Noreturn void lifecycle_exit(int code);

#endif

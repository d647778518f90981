/*
 * SIGHUP: reads the configuration again and swaps in what may change while a process
 * runs. One that has a fault changes nothing, and the log says each fault. Loop thread.
 */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "bridge/logger.h"
#include "cli/invocation.h"

struct reload;

/*
 * Gives it (reload_destroy), or NULL when out of memory. Keeps all three: `first` is what
 * the process was started with, `config` a copy of its values that the parts were handed,
 * `log` gets a new level.
 */
struct reload *reload_create(const struct invocation *first, struct config *config,
                             struct logger *log);
void reload_destroy(struct reload *reload);

/*
 * Lends the new tables until the next call, or NULL when nothing has changed because of
 * faults. `config` then has the new values of what may change while a process runs, and
 * the log its level; the texts of the configuration before are still good. One of the two
 * below follows.
 */
struct system *reload_read(struct reload *reload);
/* It is in force, and nobody holds a text of the configuration before any more. */
void reload_settle(struct reload *reload);
/* It could not be brought in: all is again as it was, and the log says so. */
void reload_undo(struct reload *reload, const char *why);

#endif

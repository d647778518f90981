/*
 * What can be said of a configuration before anything starts, beyond its keys and tables:
 * whether its secrets and keys can be used, and what is allowed but unsafe.
 */
#ifndef CLI_CONFIG_CHECKS_H
#define CLI_CONFIG_CHECKS_H

#include "bridge/logger.h"
#include "cli/invocation.h"

/* Adds a fault for what a process would refuse at its start, this one or another. */
void config_checks_keys(const struct invocation *call, struct faults *faults);

/*
 * Adds a fault for each way to publish without a key, if other machines reach the
 * publisher where `listening` has it: whoever needs no key has to be on this machine.
 * config_checks_keys asks for the addresses of `call` itself.
 */
void config_checks_doors(const struct invocation *call, const struct config *listening,
                         struct faults *faults);

/* Adds what the user should know; nothing of it keeps anything from starting. */
void config_checks_unsafe(const struct invocation *call, struct faults *warnings);

/* Of these, what is wrong with recovery.window: a window for nobody, or one longer than
 * events are kept. */
void config_checks_window(const struct invocation *call, struct faults *warnings);

/* One line for each, as a warning: `what`, and its place. */
void config_checks_log(struct logger *log, const char *what, const struct faults *faults);

/* Whether there is anything that tokens of clients could be checked with. */
bool config_checks_has_token_keys(const struct config_auth *auth);

#endif

/*
 * One run of a command: its flags, those that every command has, and the configuration
 * that follows from flags, environment and defaults.
 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include "bridge/options.h"
#include "cli/command.h"

struct invocation {
    /* flags of every command */
    bool is_json;
    bool is_quiet;
    bool has_no_color;
    struct flag_list hooks; /* --test-hook, already turned on; for children */

    struct flag_list words;
    struct options *options;
    struct config config; /* lent by options: invocation_resolve after a change */

    /* read by invocation_begin alone */
    struct flag_list sets;
    const char *log_level, *log_format;
    bool wants_help;
};

/*
 * Reads the flags, the command's own into `args` (its struct, with defaults in place).
 * False: it is over, for the help was shown or an error; return `*exit_code`.
 */
bool invocation_begin(struct invocation *call, const struct command *command, int argc,
                      char **argv, void *args, int *exit_code);

/*
 * Loads options: flags, environment, defaults. For commands that need the configuration;
 * false as above. Afterwards invocation_end.
 */
bool invocation_load(struct invocation *call, int *exit_code);
void invocation_resolve(struct invocation *call);
void invocation_end(struct invocation *call);

/* The flags of every command, for the help. */
const struct flag *invocation_flags(size_t *count);

#endif

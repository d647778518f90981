/*
 * One run of a command: its flags, those that every command has, and the configuration
 * that follows from flags, environment, file and defaults.
 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include "bridge/config_file.h"
#include "cli/command.h"

struct invocation {
    /* flags of every command */
    bool is_json;
    bool is_quiet;
    bool has_no_color;
    struct flag_list hooks; /* --test-hook, already turned on; for children */

    struct flag_list words;
    struct config_file *file; /* without a path when there is none */
    struct options *options;
    struct system *system; /* the compiled tables of the file */
    struct config config;  /* lent by options: invocation_resolve after a change */

    /* read by invocation_begin alone */
    struct flag_list sets;
    const char *config_path;
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
 * Loads the configuration: flags, environment, file, defaults. For commands that need it;
 * prints all that is wrong with it and gives false as above. Afterwards invocation_end.
 */
bool invocation_load(struct invocation *call, int *exit_code);

/*
 * The same without a word, with all faults added; false when there are any. The file and
 * the options are there (invocation_end) unless memory ran out. For a reload: into a copy
 * made by invocation_again.
 */
bool invocation_read(struct invocation *call, struct faults *faults);
/* The flags of a run, with nothing loaded yet. */
struct invocation invocation_again(const struct invocation *call);

/* Prints faults to stderr, with a last line that says how many, and gives exit code 78.
 */
int invocation_refuse(const struct invocation *call, struct faults *faults);

void invocation_resolve(struct invocation *call);
void invocation_end(struct invocation *call);

/* The flags of every command, for the help. */
const struct flag *invocation_flags(size_t *count);

#endif

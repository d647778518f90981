/* The commands of `sidecast`: one file cmd_<name>.c and one row of a table each. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/flags.h"

enum command_group {
    GROUP_START,   /* start here */
    GROUP_DAILY,   /* every day */
    GROUP_OPERATE, /* operate */
    GROUP_COUNT
};

struct command {
    const char *name;
    enum command_group group;
    const char *operands; /* "ROOM EVENT [JSON]"; "" when it takes no words */
    const char *summary;  /* what it does, in a few words */
    const char *example;  /* the first lines of its help */
    const struct flag *flags;
    size_t flag_count;
    size_t min_words, max_words;

    /* argv without the program's and the command's name. Gives the exit code. */
    int (*run)(const struct command *self, int argc, char **argv);
};

/* Runs the command that argv names; gives the exit code. */
int command_main(int argc, char **argv);

/* All of them, in the order of the help. */
extern const struct command *const command_table[];
extern const size_t command_count;

/* Hyphens do not count: "check-config" and "checkconfig" are the same. NULL: no such. */
const struct command *command_find(const char *word);

/* Writes the line for an unknown word to stderr and gives the exit code. */
int command_unknown(const char *word);

#endif

/* What the command says about itself. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

/* At most 24 lines: one sentence, three examples, the commands in their groups. */
void help_overview(FILE *out);

/* An example first, then the flags. */
void help_command(FILE *out, const struct command *command);

#endif

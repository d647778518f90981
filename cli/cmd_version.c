/* sidecast version: which build this is. */
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"

#include <stdio.h>

static int run(const struct command *self, int argc, char **argv)
{
    struct invocation call;
    int exit_code;

    if (!invocation_begin(&call, self, argc, argv, NULL, &exit_code))
        return exit_code;
    printf(call.is_json ? "{\"version\":\"%s\"}\n" : "sidecast %s\n", SIDECAST_VERSION);
    return EXIT_CODE_OK;
}

const struct command command_version = {
    .name = "version",
    .group = GROUP_OPERATE,
    .operands = "",
    .summary = "Print the version",
    .example = "  sidecast version --json\n",
    .run = run,
};

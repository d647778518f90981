/* sidecast help: the commands, or one of them. */
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/invocation.h"

static int run(const struct command *self, int argc, char **argv)
{
    struct invocation call;
    int exit_code;

    if (!invocation_begin(&call, self, argc, argv, NULL, &exit_code))
        return exit_code;
    if (call.words.count == 0) {
        help_overview(stdout);
        return EXIT_CODE_OK;
    }
    const struct command *command = command_find(call.words.items[0]);
    if (!command)
        return command_unknown(call.words.items[0]);
    help_command(stdout, command);
    return EXIT_CODE_OK;
}

const struct command command_help = {
    .name = "help",
    .group = GROUP_OPERATE,
    .operands = "[COMMAND]",
    .summary = "Say what the commands do",
    .example = "  sidecast help serve\n",
    .max_words = 1,
    .run = run,
};

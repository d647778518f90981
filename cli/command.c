/* The table of commands: see the header. */
#include "cli/command.h"

#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "proto/suggest.h"

#include <stdio.h>
#include <string.h>

const struct command *const command_table[] = {
    &command_demo,      &command_serve,     &command_genconfig,    &command_publish,
    &command_sub,       &command_gentoken,  &command_check_config, &command_config,
    &command_contracts, &command_publisher, &command_gateway,      &command_bench,
    &command_version,   &command_help,
};
const size_t command_count = sizeof command_table / sizeof *command_table;

static bool is_same_word(const char *a, const char *b)
{
    for (;;) {
        while (*a == '-')
            a++;
        while (*b == '-')
            b++;
        if (*a != *b)
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

const struct command *command_find(const char *word)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = command_table[i];
        if (is_same_word(word, command->name))
            return command;
    }
    return NULL;
}

int command_unknown(const char *word)
{
    const char *names[FLAG_LIST_MAX];

    for (size_t i = 0; i < command_count; i++)
        names[i] = command_table[i]->name;
    const char *nearest = suggest_nearest(slice_of(word), names, command_count);
    if (nearest)
        fprintf(stderr,
                "sidecast: unknown command \"%.60s\": did you mean \"%s\"? see 'sidecast "
                "help'\n",
                word, nearest);
    else
        fprintf(stderr, "sidecast: unknown command \"%.60s\"; see 'sidecast help'\n",
                word);
    return EXIT_CODE_USAGE;
}

int command_main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "help";

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    if (strcmp(word, "--version") == 0)
        word = "version";
    const struct command *command = command_find(word);
    if (!command)
        return command_unknown(word);
    return argc > 1 ? command->run(command, argc - 2, argv + 2)
                    : command->run(command, 0, argv);
}

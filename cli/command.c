/* The table of commands: see the header. */
#include "cli/command.h"

#include <stdio.h>

int command_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fprintf(stderr, "sidecast: no command yet\n");
    return 2;
}

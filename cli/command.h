/* The commands of `sidecast`: one row of a table each. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* Runs the command that argv names; gives the exit code (sysexits). */
int command_main(int argc, char **argv);

#endif

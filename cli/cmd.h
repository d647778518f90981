/* The rows of the command table: each is defined in cmd_<name>.c. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/command.h"

extern const struct command command_bench;
extern const struct command command_check_config;
extern const struct command command_config;
extern const struct command command_contracts;
extern const struct command command_demo;
extern const struct command command_gateway;
extern const struct command command_genconfig;
extern const struct command command_gentoken;
extern const struct command command_help;
extern const struct command command_publish;
extern const struct command command_publisher;
extern const struct command command_serve;
extern const struct command command_sub;
extern const struct command command_version;

#endif

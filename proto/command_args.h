/*
 * What a command wants of its first argument: an object with certain fields. The `args`
 * map of a command: field → `id`, `string`, `int`, `object`, or a contract of its own.
 * Every field that is named must be there; others may be. Pure.
 */
#ifndef PROTO_COMMAND_ARGS_H
#define PROTO_COMMAND_ARGS_H

#include "proto/contract.h"

enum {
    COMMAND_ARGS_WHY_BYTES = 500,
};

struct command_args;

/* Borrows `node`, a map. Gives a check (command_args_destroy), or NULL after at least one
 * fault was added. */
struct command_args *command_args_compile(const struct document_node *node,
                                          struct faults *faults);
void command_args_destroy(struct command_args *args);

/*
 * Borrows `list`: raw JSON values that have passed the gate, comma-separated. False: the
 * sentence in `why` is for the client's developer.
 */
bool command_args_hold(const struct command_args *args, struct slice list,
                       char why[COMMAND_ARGS_WHY_BYTES]);

#endif

/* Compiling one command; for command_rules.c. */
#ifndef PROTO_COMMAND_COMPILE_H
#define PROTO_COMMAND_COMPILE_H

#include "proto/command_rules.h"

/* A rule and what it owns. */
struct command_row {
    struct command_rule rule;
    char *name, *event, *event_json;
    struct command_args *args;
    struct template *room, *output, *ok, *error;
    struct template **allow;
};

/* Fills in a zeroed row (command_row_finish), or adds faults: all there are. */
void command_row_compile(struct command_row *row, const struct document_entry *entry,
                         const struct ack_rules *acks, const struct rate_rules *rates,
                         struct faults *faults);
void command_row_finish(struct command_row *row);

#endif

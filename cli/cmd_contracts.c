/* sidecast contracts: the catalog of events for the programs of others. */
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "proto/event_types.h"

#include <stdio.h>

enum {
    TEXT_BYTES = 16 * 1024 * 1024
};

struct contracts_args {
    bool wants_types;
};

static int print_types(const struct invocation *call)
{
    const struct system_files files = config_file_files(call->file);
    struct buf out = {.max = TEXT_BYTES};

    event_types_write(call->system->events, config_file_root(call->file), &files, &out);
    if (buf_status(&out)) {
        fputs("sidecast: the types do not fit into memory\n", stderr);
        buf_finish(&out);
        return EXIT_CODE_FAILED;
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_finish(&out);
    return EXIT_CODE_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct contracts_args args = {0};
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code))
        return code;
    if (!args.wants_types) {
        fputs("sidecast: contracts needs --types; see 'sidecast help contracts'\n",
              stderr);
        return EXIT_CODE_USAGE;
    }
    if (!invocation_load(&call, &code))
        return code;
    code = print_types(&call);
    invocation_end(&call);
    return code;
}

static const struct flag flags[] = {
    {"types", FLAG_SWITCH, NULL,
     "TypeScript interfaces for io<ServerToClientEvents, ClientToServerEvents>()", offsetof(struct contracts_args, wants_types), 0},
};

const struct command command_contracts = {
    .name = "contracts",
    .group = GROUP_DAILY,
    .operands = "",
    .summary = "Print the catalog of events for other programs",
    .example = "  sidecast contracts --types --config sidecast.yaml > events.ts\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};

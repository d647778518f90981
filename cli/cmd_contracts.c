/* sidecast contracts: the catalog of events for the programs of others. */
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "proto/event_asyncapi.h"
#include "proto/event_types.h"

#include <stdio.h>

enum {
    TEXT_BYTES = 16 * 1024 * 1024
};

struct contracts_args {
    bool wants_types, wants_asyncapi;
};

static int print(const struct invocation *call, const struct contracts_args *args)
{
    const struct system_files files = config_file_files(call->file);
    const struct document_node *root = config_file_root(call->file);
    const struct event_rules *events = call->system->events;
    struct buf out = {.max = TEXT_BYTES};

    if (args->wants_types)
        event_types_write(events, root, &files, &out);
    else
        event_asyncapi_write(events, root, &files, slice_of(call->config.public_url),
                             &out);
    if (buf_status(&out)) {
        fputs("sidecast: this catalog does not fit into memory\n", stderr);
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
    if (args.wants_types == args.wants_asyncapi) {
        fputs("sidecast: contracts takes one of --types and --asyncapi; see 'sidecast "
              "help contracts'\n",
              stderr);
        return EXIT_CODE_USAGE;
    }
    if (!invocation_load(&call, &code))
        return code;
    code = print(&call, &args);
    invocation_end(&call);
    return code;
}

#define AT(field) offsetof(struct contracts_args, field)
static const struct flag flags[] = {
    {"types",    FLAG_SWITCH, NULL,
     "TypeScript for io<ServerToClientEvents, ClientToServerEvents>()",  AT(wants_types),
     0                                                                                     },
    {"asyncapi", FLAG_SWITCH, NULL, "an AsyncAPI 2.6 document, as JSON",
     AT(wants_asyncapi),                                                                  0},
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

/* sidecast config: what is configured, and what can be. */
#include "cli/cmd.h"
#include "cli/config_markdown.h"
#include "cli/config_schema.h"
#include "cli/config_show.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"

#include <stdio.h>

enum {
    TEXT_BYTES = 4 * 1024 * 1024
};

struct config_args {
    bool wants_effective, wants_env, wants_defaults, wants_schema, wants_markdown;
};

/* Of the table alone: nothing is loaded. */
static bool print_table(const struct config_args *args, struct buf *out)
{
    if (args->wants_schema)
        config_schema_print(out);
    else if (args->wants_markdown)
        config_markdown_print(out);
    return args->wants_schema || args->wants_markdown;
}

static void print_values(const struct config_args *args, const struct invocation *call,
                         struct buf *out)
{
    if (args->wants_env)
        config_show_env(call->options, out);
    else if (args->wants_defaults)
        config_show_defaults(call->is_json, out);
    else
        config_show_effective(call->options, call->file, call->is_json, out);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct config_args args = {0};
    struct buf out = {.max = TEXT_BYTES};
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code))
        return code;
    if (args.wants_effective + args.wants_env + args.wants_defaults + args.wants_schema +
            args.wants_markdown >
        1) {
        fputs("sidecast: config takes one of its flags; see 'sidecast help config'\n",
              stderr);
        return EXIT_CODE_USAGE;
    }
    if (!print_table(&args, &out)) {
        if (!invocation_load(&call, &code))
            return code;
        print_values(&args, &call, &out);
        invocation_end(&call);
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_finish(&out);
    return EXIT_CODE_OK;
}

#define AT(field) offsetof(struct config_args, field)
static const struct flag flags[] = {
    {"effective", FLAG_SWITCH, NULL,
     "every value and where it comes from (what it does anyway)",              AT(wants_effective), 0},
    {"env",       FLAG_SWITCH, NULL, "the same as variables",                  AT(wants_env),       0},
    {"defaults",  FLAG_SWITCH, NULL, "every default",                          AT(wants_defaults),  0},
    {"schema",    FLAG_SWITCH, NULL, "a JSON Schema of the file, for editors",
     AT(wants_schema),                                                                              0},
    {"markdown",  FLAG_SWITCH, NULL, "the reference of all keys",              AT(wants_markdown),  0},
};

const struct command command_config = {
    .name = "config",
    .group = GROUP_DAILY,
    .operands = "",
    .summary = "Show every value and where it comes from",
    .example = "  sidecast config -c sidecast.yaml\n"
               "  sidecast config --schema > sidecast.schema.json\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};

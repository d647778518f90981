/* One run of a command: see the header. */
#include "cli/invocation.h"

#include "bridge/testing/test_hook.h"
#include "cli/exit_code.h"
#include "cli/help.h"

#include <string.h>
#include <unistd.h>

#define AT(field) offsetof(struct invocation, field)

static const struct flag common_flags[] = {
    {"set",        FLAG_LIST,   "KEY=VALUE",
     "set an option, for instance gateway.ping_interval=5s",                         AT(sets),         0},
    {"log-level",  FLAG_TEXT,   "LEVEL",     "error, warn, info or debug",           AT(log_level),    0},
    {"log-format", FLAG_TEXT,   "FORMAT",    "text or json",                         AT(log_format),   0},
    {"json",       FLAG_SWITCH, NULL,        "print data as JSON",                   AT(is_json),      0},
    {"quiet",      FLAG_SWITCH, NULL,        "print data only, and log errors only", AT(is_quiet),     0},
    {"no-color",   FLAG_SWITCH, NULL,        "no colours",                           AT(has_no_color), 0},
    {"test-hook",  FLAG_LIST,   "NAME",      "sabotage switch of testing builds",    AT(hooks),        0},
    {"help",       FLAG_SWITCH, NULL,        "show this",                            AT(wants_help),   0},
};

const struct flag *invocation_flags(size_t *count)
{
    *count = sizeof common_flags / sizeof *common_flags;
    return common_flags;
}

static bool usage(const struct command *command, const char *error, int *exit_code)
{
    const char *glue = error[0] && error[strlen(error) - 1] == '?' ? "" : ";";

    fprintf(stderr, "sidecast: %s%s see 'sidecast help %s'\n", error, glue,
            command->name);
    *exit_code = EXIT_CODE_USAGE;
    return false;
}

static bool set_hooks(const struct flag_list *hooks, char error[FLAG_ERROR_BYTES])
{
    for (size_t i = 0; i < hooks->count; i++) {
        if (test_hook_set(hooks->items[i]))
            continue;
        snprintf(error, FLAG_ERROR_BYTES, "this build knows no test hook \"%.60s\"",
                 hooks->items[i]);
        return false;
    }
    return true;
}

bool invocation_begin(struct invocation *call, const struct command *command, int argc,
                      char **argv, void *args, int *exit_code)
{
    *call = (struct invocation){0};

    const struct flag_set sets[] = {
        {command->flags, command->flag_count,                        args},
        {common_flags,   sizeof common_flags / sizeof *common_flags, call},
    };
    char error[FLAG_ERROR_BYTES];

    if (!flags_parse(sets, 2, argc, argv, &call->words, error))
        return usage(command, error, exit_code);
    if (call->wants_help) {
        help_command(stdout, command);
        *exit_code = EXIT_CODE_OK;
        return false;
    }
    if (call->words.count > command->max_words) {
        snprintf(error, sizeof error, "unexpected word \"%.60s\"",
                 call->words.items[command->max_words]);
        return usage(command, error, exit_code);
    }
    if (call->words.count < command->min_words) {
        snprintf(error, sizeof error, "%s needs %s", command->name, command->operands);
        return usage(command, error, exit_code);
    }
    if (!set_hooks(&call->hooks, error))
        return usage(command, error, exit_code);
    return true;
}

static enum status put_flags(struct invocation *call, char error[OPTIONS_ERROR_BYTES])
{
    enum status st = ST_OK;

    for (size_t i = 0; !st && i < call->sets.count; i++)
        st = options_put_flag(call->options, call->sets.items[i], error);
    if (!st && call->is_quiet)
        st = options_put(call->options, OPTION_FLAG, SLICE("logs.level"), SLICE("error"),
                         error);
    if (!st && call->log_level)
        st = options_put(call->options, OPTION_FLAG, SLICE("logs.level"),
                         slice_of(call->log_level), error);
    if (!st && call->log_format)
        st = options_put(call->options, OPTION_FLAG, SLICE("logs.format"),
                         slice_of(call->log_format), error);
    return st;
}

bool invocation_load(struct invocation *call, int *exit_code)
{
    char error[OPTIONS_ERROR_BYTES] = "out of memory";

    *exit_code = EXIT_CODE_CONFIG;
    call->options = options_create();
    if (call->options && !options_put_environment(call->options, environ, error) &&
        !put_flags(call, error)) {
        invocation_resolve(call);
        return true;
    }
    fprintf(stderr, "sidecast: %s\n", error);
    invocation_end(call);
    return false;
}

void invocation_resolve(struct invocation *call)
{
    options_resolve(call->options, &call->config);
}

void invocation_end(struct invocation *call)
{
    options_destroy(call->options);
    call->options = NULL;
}

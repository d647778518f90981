/* One run of a command: see the header. */
#include "cli/invocation.h"

#include "bridge/testing/test_hook.h"
#include "cli/exit_code.h"
#include "cli/help.h"

#include <string.h>
#include <unistd.h>

enum {
    FAULTS_TEXT_BYTES = 256 * 1024
};

#define AT(field) offsetof(struct invocation, field)

static const struct flag common_flags[] = {
    {"config",     FLAG_TEXT,   "FILE",      "configuration file; also -c FILE",     AT(config_path),  0},
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

static void put_flag(struct invocation *call, const char *key, const char *value,
                     struct faults *faults)
{
    char error[OPTIONS_ERROR_BYTES];

    if (value &&
        options_put(call->options, OPTION_FLAG, slice_of(key), slice_of(value), error))
        faults_add(faults, (struct place){0}, NULL, "%s", error);
}

static void put_flags(struct invocation *call, struct faults *faults)
{
    char error[OPTIONS_ERROR_BYTES];

    for (size_t i = 0; i < call->sets.count; i++)
        if (options_put_flag(call->options, call->sets.items[i], error))
            faults_add(faults, (struct place){0}, NULL, "%s", error);
    put_flag(call, "logs.level", call->is_quiet ? "error" : NULL, faults);
    put_flag(call, "logs.level", call->log_level, faults);
    put_flag(call, "logs.format", call->log_format, faults);
}

/* A secret and the file that it lies in are one setting: the stronger source has it. */
static void settle_secret(struct options *options, const char *key, const char *file_key)
{
    enum option_source here = options_source(options, key);
    enum option_source there = options_source(options, file_key);

    if (here != OPTION_DEFAULT && there != OPTION_DEFAULT && here != there)
        (void)options_forget(options, here < there ? key : file_key);
}

bool invocation_read(struct invocation *call, struct faults *faults)
{
    call->options = options_create();
    call->file = config_file_open(config_file_find(call->config_path, environ), faults);
    if (!call->options || !call->file) {
        faults_add(faults, (struct place){0}, NULL, "out of memory");
        return false;
    }
    config_file_bind(call->file, call->options, faults);
    options_put_environment(call->options, environ, faults);
    put_flags(call, faults);
    settle_secret(call->options, "auth.jwt.hmac_secret", "auth.jwt.hmac_secret_file");
    call->system = config_file_compile(call->file, faults);
    invocation_resolve(call);
    return faults_are_none(faults);
}

struct invocation invocation_again(const struct invocation *call)
{
    struct invocation again = *call;

    again.file = NULL;
    again.options = NULL;
    again.system = NULL;
    return again;
}

int invocation_refuse(const struct invocation *call, struct faults *faults)
{
    struct buf out = {.max = FAULTS_TEXT_BYTES};

    config_file_print(call->file, faults, &out);
    size_t count = faults->count + faults->left_out;
    fprintf(stderr, "%.*s%zu error%s, nothing started (exit %d)\n", (int)out.len,
            out.len ? out.ptr : "", count, count == 1 ? "" : "s", EXIT_CODE_CONFIG);
    buf_finish(&out);
    return EXIT_CODE_CONFIG;
}

bool invocation_load(struct invocation *call, int *exit_code)
{
    struct faults faults = {0};
    bool is_good = invocation_read(call, &faults);

    if (!is_good) {
        *exit_code = invocation_refuse(call, &faults);
        invocation_end(call);
    }
    faults_finish(&faults);
    return is_good;
}

void invocation_resolve(struct invocation *call)
{
    options_resolve(call->options, &call->config);
}

void invocation_end(struct invocation *call)
{
    system_release(call->system);
    options_destroy(call->options);
    config_file_close(call->file);
    call->system = NULL;
    call->options = NULL;
    call->file = NULL;
}

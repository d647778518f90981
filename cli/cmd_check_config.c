/* sidecast check-config: all that is wrong with a configuration, before it is used. */
#include "cli/cmd.h"
#include "cli/config_checks.h"
#include "cli/created_secrets.h"
#include "cli/exit_code.h"

#include <stdio.h>

enum {
    TEXT_BYTES = 512 * 1024
};

/* What was found. */
struct findings {
    struct invocation call;
    struct faults faults;
    struct faults warnings;
};

static void print_warnings(struct findings *findings)
{
    struct buf out = {.max = TEXT_BYTES};

    faults_sort(&findings->warnings);
    for (size_t i = 0; i < findings->warnings.count; i++) {
        const struct fault *fault = &findings->warnings.items[i];
        buf_add_text(&out, "warning: ");
        fault_print(fault, config_file_source(findings->call.file, fault->place), &out);
    }
    fprintf(stderr, "%.*s", (int)out.len, out.len ? out.ptr : "");
    buf_finish(&out);
}

static int print_text(struct findings *findings)
{
    const char *path = findings->call.file ? config_file_path(findings->call.file) : NULL;

    if (!faults_are_none(&findings->faults))
        return invocation_refuse(&findings->call, &findings->faults);
    if (!findings->call.is_quiet)
        print_warnings(findings);
    printf("%s is good\n", path ? path : "the configuration without a file");
    return EXIT_CODE_OK;
}

static void add_list(struct buf *out, const char *name, const struct faults *faults)
{
    buf_print(out, ",\"%s\":[", name);
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        buf_add_text(out, i ? ",{" : "{");
        if (fault->place.file) {
            buf_add_text(out, "\"file\":");
            buf_add_json_string(out, slice_of(fault->place.file));
            buf_print(out, ",\"line\":%u,\"column\":%u,", fault->place.line,
                      fault->place.column);
        }
        buf_add_text(out, "\"message\":");
        buf_add_json_string(out, slice_of(fault->message));
        if (fault->hint) {
            buf_add_text(out, ",\"hint\":");
            buf_add_json_string(out, slice_of(fault->hint));
        }
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

static int print_json(struct findings *findings)
{
    struct buf out = {.max = TEXT_BYTES};
    bool is_good = faults_are_none(&findings->faults);

    faults_drop_echoes(&findings->faults);
    faults_sort(&findings->warnings);
    buf_print(&out, "{\"ok\":%s", is_good ? "true" : "false");
    add_list(&out, "errors", &findings->faults);
    add_list(&out, "warnings", &findings->warnings);
    printf("%.*s}\n", (int)out.len, out.ptr);
    buf_finish(&out);
    return is_good ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct findings findings = {0};
    struct created_secrets to_come;
    int code;

    if (!invocation_begin(&findings.call, self, argc, argv, NULL, &code))
        return code;
    if (findings.call.words.count > 0)
        findings.call.config_path = findings.call.words.items[0];
    if (invocation_read(&findings.call, &findings.faults)) {
        created_secrets_foresee(&findings.call.config, &to_come);
        config_checks_keys(&findings.call, &findings.faults);
        config_checks_unsafe(&findings.call, &findings.warnings);
    }
    code = findings.call.is_json ? print_json(&findings) : print_text(&findings);
    faults_finish(&findings.faults);
    faults_finish(&findings.warnings);
    invocation_end(&findings.call);
    return code;
}

const struct command command_check_config = {
    .name = "check-config",
    .group = GROUP_DAILY,
    .operands = "[FILE]",
    .summary = "Say all that is wrong with a configuration",
    .example = "  sidecast check-config sidecast.yaml\n",
    .max_words = 1,
    .run = run,
};

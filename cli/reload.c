/* Reading the configuration again: see the header. */
#include "cli/reload.h"

#include "cli/config_checks.h"

#include <stdlib.h>
#include <string.h>

struct reload {
    const struct invocation *first;
    struct config *config;
    struct logger *log;
    struct invocation current;  /* what is in force; nothing loaded: what `first` has */
    struct invocation previous; /* until it is settled */
};

struct reload *reload_create(const struct invocation *first, struct config *config,
                             struct logger *log)
{
    struct reload *reload = calloc(1, sizeof *reload);

    if (reload)
        *reload = (struct reload){.first = first, .config = config, .log = log};
    return reload;
}

void reload_destroy(struct reload *reload)
{
    if (!reload)
        return;
    invocation_end(&reload->previous);
    invocation_end(&reload->current);
    free(reload);
}

static void log_faults(struct reload *reload, struct faults *faults)
{
    faults_drop_echoes(faults);
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        log_warn(reload->log, "fault in the configuration",
                 LOG_TEXT("file", fault->place.file ? fault->place.file : "none"),
                 LOG_NUM("line", fault->place.line),
                 LOG_NUM("column", fault->place.column),
                 LOG_TEXT("fault", fault->message),
                 LOG_TEXT("hint", fault->hint ? fault->hint : ""));
    }
    log_error(reload->log, "not reloaded: the configuration has faults",
              LOG_NUM("faults", faults->count + faults->left_out));
}

/* What is new and takes effect with the next start only. */
static void log_unchanged(struct reload *reload, const struct invocation *next)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const char *key = config_keys[i].path;
        if (!config_key_is_option(&config_keys[i]) ||
            (config_keys[i].flags & KEY_RELOADS))
            continue;
        if (strcmp(options_text(next->options, key),
                   options_text(reload->first->options, key)) != 0)
            log_warn(reload->log, "this change needs a new start", LOG_TEXT("key", key));
    }
}

static struct system *take(struct reload *reload, const struct invocation *next)
{
    log_unchanged(reload, next);
    reload->config->auth = next->config.auth;
    reload->log->level = next->config.logs.level;
    reload_settle(reload);
    reload->previous = reload->current;
    reload->current = *next;
    log_info(reload->log, "reloaded the configuration");
    return next->system;
}

struct system *reload_read(struct reload *reload)
{
    struct invocation next = invocation_again(reload->first);
    struct faults faults = {0};
    struct system *system = NULL;

    if (invocation_read(&next, &faults))
        config_checks_keys(&next, &faults);
    if (faults_are_none(&faults)) {
        system = take(reload, &next);
    } else {
        log_faults(reload, &faults);
        invocation_end(&next);
    }
    faults_finish(&faults);
    return system;
}

void reload_settle(struct reload *reload)
{
    invocation_end(&reload->previous);
    reload->previous = (struct invocation){0};
}

/* Reading the configuration again: see the header. */
#include "cli/reload.h"

#include "cli/config_checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEYS_BYTES = 512 /* as much as a field of a log line holds */
};

struct reload {
    const struct invocation *first;
    struct config *config;
    struct logger *log;
    struct invocation current; /* what is in force; nothing loaded: what `first` has */
    /* until it is settled */
    struct invocation previous;
    struct config config_before;
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
    config_checks_log(reload->log, "fault in the configuration", faults);
    log_error(reload->log, "not reloaded: the configuration has faults",
              LOG_NUM("faults", faults->count + faults->left_out));
}

/* What is new and takes effect with the next start only: all of it in one line. */
static void log_unchanged(struct reload *reload)
{
    char keys[KEYS_BYTES] = "";
    size_t len = 0;

    for (size_t i = 0; i < config_key_count; i++) {
        const char *key = config_keys[i].path;
        if (!config_key_is_option(&config_keys[i]) ||
            (config_keys[i].flags & KEY_RELOADS) ||
            strcmp(options_text(reload->current.options, key),
                   options_text(reload->first->options, key)) == 0)
            continue;
        if (len < sizeof keys)
            len += (size_t)snprintf(keys + len, sizeof keys - len, "%s%s",
                                    len > 0 ? ", " : "", key);
    }
    if (len > 0)
        log_warn(reload->log, "this change needs a new start", LOG_TEXT("keys", keys));
}

/* The new values of what may change; the others stay as the parts have them. */
static void take(struct reload *reload, const struct invocation *next)
{
    struct config *config = reload->config;

    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (config_key_is_option(key) && (key->flags & KEY_RELOADS))
            config_value_store(key, options_text(next->options, key->path), config);
    }
    config->limits.is_connections_set = next->config.limits.is_connections_set;
    config->limits.is_per_ip_set = next->config.limits.is_per_ip_set;
    config->limits.is_handshakes_set = next->config.limits.is_handshakes_set;
    reload->log->level = config->logs.level;
}

/* Listeners stay where they are until the next start, whatever the file says of them. */
static bool read_checked(const struct reload *reload, struct invocation *next,
                         struct faults *faults)
{
    if (invocation_read(next, faults))
        config_checks_keys(next, faults);
    if (faults_are_none(faults))
        config_checks_doors(next, reload->config, faults);
    return faults_are_none(faults);
}

struct system *reload_read(struct reload *reload)
{
    struct invocation next = invocation_again(reload->first);
    struct faults faults = {0};

    bool is_good = read_checked(reload, &next, &faults);
    if (!is_good)
        log_faults(reload, &faults);
    faults_finish(&faults);
    if (!is_good) {
        invocation_end(&next);
        return NULL;
    }
    reload->previous = reload->current;
    reload->config_before = *reload->config;
    reload->current = next;
    take(reload, &reload->current);
    return reload->current.system;
}

void reload_settle(struct reload *reload)
{
    log_unchanged(reload);
    invocation_end(&reload->previous);
    reload->previous = (struct invocation){0};
    log_line(reload->log, LOG_LEVEL_INFO, "reloaded the configuration", NULL, 0);
}

void reload_undo(struct reload *reload, const char *why)
{
    *reload->config = reload->config_before;
    reload->log->level = reload->config->logs.level;
    invocation_end(&reload->current);
    reload->current = reload->previous;
    reload->previous = (struct invocation){0};
    log_error(reload->log, "not reloaded", LOG_TEXT("because", why));
}

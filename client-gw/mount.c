/* Mounts as they are served: see the header. */
#include "client-gw/mount.h"

#include "client-gw/dialect.h"

#include <stdio.h>
#include <stdlib.h>

static const struct dialect *const dialects[MOUNT_DIALECT_COUNT] = {
    [MOUNT_SOCKETIO] = &dialect_socketio,
    [MOUNT_NATIVE] = &dialect_native,
    [MOUNT_ECHO] = &dialect_echo,
};

struct mount_table {
    const struct mount_rules *rules;
    size_t count;
    struct mount *mounts[]; /* NULL: switched off */
};

struct mount *mount_share(struct mount *mount)
{
    mount->references++;
    return mount;
}

void mount_release(struct mount *mount)
{
    if (mount && --mount->references == 0)
        free(mount);
}

static bool is_served(enum mount_dialect dialect, const struct config_gateway *gateway)
{
    switch (dialect) {
    case MOUNT_SOCKETIO: return gateway->socketio == CONFIG_ON;
    case MOUNT_NATIVE: return gateway->native == CONFIG_ON;
    default: return true;
    }
}

static struct mount *make_mount(const struct mount_rule *rule,
                                const struct mount_settings *defaults)
{
    struct mount *mount = malloc(sizeof *mount);

    if (!mount)
        return NULL;
    *mount = (struct mount){.references = 1,
                            .dialect = dialects[rule->dialect],
                            .settings = mount_rule_settle(rule, defaults)};
    const struct mount_settings *settings = &mount->settings;
    mount->eio = (struct eio_config){
        .ping_interval_ms = settings->ping_interval_ms,
        .ping_timeout_ms = settings->ping_timeout_ms,
        .upgrade_timeout_ms = settings->upgrade_timeout_ms,
        .may_upgrade = settings->may_upgrade && (settings->transports & MOUNT_WEBSOCKET),
    };
    return mount;
}

struct mount_table *mount_table_create(const struct mount_rules *rules,
                                       const struct config_gateway *gateway)
{
    struct mount_settings defaults = {
        .ping_interval_ms = gateway->ping_interval_ms,
        .ping_timeout_ms = gateway->ping_timeout_ms,
        .upgrade_timeout_ms = gateway->upgrade_timeout_ms,
        .connect_timeout_ms = gateway->connect_timeout_ms,
        .max_message_bytes = gateway->max_message_bytes,
        .transports = mount_transports_parse(slice_of(gateway->transports)),
        .may_upgrade = gateway->upgrades == CONFIG_ON,
        .compress_polling_bytes = gateway->compress_polling_bytes,
    };
    snprintf(defaults.cookie, sizeof defaults.cookie, "%s", gateway->cookie);
    size_t count = mount_rules_count(rules);
    struct mount_table *table = calloc(1, sizeof *table + count * sizeof *table->mounts);

    if (!table)
        return NULL;
    table->rules = rules;
    table->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct mount_rule *rule = mount_rules_at(rules, i);
        if (!is_served(rule->dialect, gateway))
            continue;
        table->mounts[i] = make_mount(rule, &defaults);
        if (!table->mounts[i]) {
            mount_table_destroy(table);
            return NULL;
        }
    }
    return table;
}

void mount_table_destroy(struct mount_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        mount_release(table->mounts[i]);
    free(table);
}

struct mount *mount_table_find(const struct mount_table *table, struct slice path)
{
    size_t index;

    return mount_rules_find(table->rules, path, &index) ? table->mounts[index] : NULL;
}

size_t mount_table_message_bytes(const struct mount_table *table)
{
    size_t largest = 0;

    for (size_t i = 0; i < table->count; i++)
        if (table->mounts[i] && table->mounts[i]->settings.max_message_bytes > largest)
            largest = table->mounts[i]->settings.max_message_bytes;
    return largest;
}

unsigned mount_table_transports(const struct mount_table *table)
{
    unsigned transports = 0;

    for (size_t i = 0; i < table->count; i++)
        if (table->mounts[i])
            transports |= table->mounts[i]->settings.transports;
    return transports;
}

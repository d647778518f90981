/* The compiled tables of a configuration: see the header. */
#include "proto/system.h"

#include "proto/auth_rules.h"
#include "proto/catchup_rules.h"
#include "proto/command_rules.h"
#include "proto/connect_rules.h"
#include "proto/drain_rules.h"
#include "proto/event_rules.h"
#include "proto/log_names.h"
#include "proto/mount_rules.h"
#include "proto/namespace_rules.h"
#include "proto/presence_rules.h"
#include "proto/room_rules.h"
#include "proto/route_rules.h"
#include "proto/rule_node.h"

#include <stdlib.h>

/* What all tables are compiled from. */
struct compilation {
    const struct document_node *root;
    const struct system_files *files;
    struct faults *faults;
};

static const struct document_node *find(const struct compilation *from, const char *key)
{
    return document_find(from->root, key);
}

/* One line per table; each finds all of its faults and the next one goes on. */
static void compile_parts(struct system *system, const struct compilation *from)
{
    struct faults *faults = from->faults;

    system->mounts = mount_rules_compile(find(from, "mounts"), faults);
    system->auth = auth_rules_compile(find(from, "auth"), faults);
    system->connect = connect_rules_compile(find(from, "connect"), faults);
    system->drain = drain_rules_compile(find(from, "drain"), faults);
    system->rooms = room_rules_compile(find(from, "rooms"), faults);
    system->catchup = catchup_rules_compile(find(from, "catchup"), faults);
    system->commands = command_rules_compile(from->root, faults);
    system->namespaces =
        namespace_rules_compile(find(from, "namespaces"), system->commands, faults);
    system->presence = presence_rules_compile(find(from, "presence"), faults);
    system->events = event_rules_compile(from->root, from->files, faults);
    system->routes = route_rules_compile(from->root, faults);
    system->log_names = log_names_compile(find(from, "logs"), faults);
}

/* And one line per table here. */
static void destroy_parts(struct system *system)
{
    mount_rules_destroy(system->mounts);
    auth_rules_destroy(system->auth);
    connect_rules_destroy(system->connect);
    emission_list_destroy(system->drain);
    room_rules_destroy(system->rooms);
    catchup_rules_destroy(system->catchup);
    namespace_rules_destroy(system->namespaces);
    presence_rules_destroy(system->presence);
    command_rules_destroy(system->commands);
    event_rules_destroy(system->events);
    route_rules_destroy(system->routes);
    log_names_destroy(system->log_names);
}

/* Nothing of a client is kept that no table asks for. */
static unsigned client_uses(const struct system *system)
{
    return room_rules_uses(system->rooms) | auth_rules_uses(system->auth) |
           command_rules_uses(system->commands) | connect_rules_uses(system->connect) |
           namespace_rules_uses(system->namespaces) |
           catchup_rules_uses(system->catchup) | emission_uses(system->drain);
}

/* What a greeting draws from must be kept. */
static void check_seen(const struct system *system, const struct compilation *from)
{
    unsigned uses = system->connect ? connect_rules_uses(system->connect) : 0;

    if (uses & TEMPLATE_BIT(TEMPLATE_SEEN) && system->presence &&
        !presence_rules_keep_last_seen(system->presence))
        faults_add(from->faults, find(from, "connect")->place, NULL,
                   "connect.emit has {user.last_seen}: switch presence.last_seen on");
}

static bool is_on(const struct document_node *node)
{
    struct faults told = {0}; /* by who compiled it */
    bool on = false;

    if (node)
        rule_switch(node, "", &on, &told);
    faults_finish(&told);
    return on;
}

/* Whose session it was is asked at CONNECT, and there everybody is nobody. */
static void check_recovery(const struct system *system, const struct compilation *from)
{
    const struct document_node *namespaces = find(from, "namespaces");
    bool has_rows = namespaces && namespaces->kind == DOCUMENT_MAP;

    if (!system->auth || auth_rules_mode(system->auth) != AUTH_EVENT)
        return;
    for (size_t i = 0; has_rows && i < namespaces->count; i++) {
        const struct document_node *recovery =
            document_find(&namespaces->entries[i].value, "recovery");
        if (is_on(recovery))
            faults_add(from->faults, recovery->place, "off",
                       "with auth.mode: event nobody comes back to a session: who they "
                       "are is known too late; catchup brings what they missed");
    }
}

struct system *system_compile(const struct document_node *root,
                              const struct system_files *files, struct faults *faults)
{
    const struct compilation from = {root, files, faults};
    struct system *system = calloc(1, sizeof *system);
    size_t faults_before = faults->count + faults->left_out;

    if (!system) {
        faults_add(faults, root->place, NULL, "out of memory");
        return NULL;
    }
    system->references = 1;
    compile_parts(system, &from);
    check_seen(system, &from);
    check_recovery(system, &from);
    if (faults->count + faults->left_out == faults_before) {
        system->client_uses = client_uses(system);
        return system;
    }
    system_release(system);
    return NULL;
}

static enum status no_contract(void *ctx, struct slice name,
                               const struct document_node **root, struct faults *faults)
{
    (void)ctx;
    (void)name;
    (void)root;
    (void)faults;
    return ST_NOT_FOUND;
}

static const char *no_event(void *ctx, size_t index)
{
    (void)ctx;
    (void)index;
    return NULL;
}

const struct system_files system_no_files = {no_contract, no_event, NULL};

struct system *system_default(void)
{
    static const struct document_node root = {.kind = DOCUMENT_MAP};
    struct faults faults = {0};
    struct system *system = system_compile(&root, &system_no_files, &faults);

    faults_finish(&faults);
    return system;
}

struct system *system_share(struct system *system)
{
    system->references++;
    return system;
}

void system_release(struct system *system)
{
    if (!system || --system->references > 0)
        return;
    destroy_parts(system);
    free(system);
}

/* The compiled tables of a configuration: see the header. */
#include "proto/system.h"

#include "proto/ack_rules.h"
#include "proto/auth_rules.h"
#include "proto/beat_rules.h"
#include "proto/command_rules.h"
#include "proto/connect_rules.h"
#include "proto/rate_rules.h"
#include "proto/room_rules.h"

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
    const struct document_node *limits = find(from, "limits");

    system->auth = auth_rules_compile(find(from, "auth"), faults);
    system->connect = connect_rules_compile(find(from, "connect"), faults);
    system->rooms = room_rules_compile(find(from, "rooms"), faults);
    system->commands = command_rules_compile(from->root, faults);
    system->acks = ack_rules_compile(from->root, faults);
    system->rates = rate_rules_compile(document_find(limits, "rates"), faults);
    system->beats = beat_rules_compile(find(from, "heartbeats"), faults);
}

/* And one line per table here. */
static void destroy_parts(struct system *system)
{
    auth_rules_destroy(system->auth);
    connect_rules_destroy(system->connect);
    room_rules_destroy(system->rooms);
    command_rules_destroy(system->commands);
    ack_rules_destroy(system->acks);
    rate_rules_destroy(system->rates);
    beat_rules_destroy(system->beats);
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
    if (faults->count + faults->left_out == faults_before)
        return system;
    system_release(system);
    return NULL;
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

/* The compiled tables of a configuration: see the header. */
#include "proto/system.h"

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
    system->rooms = room_rules_compile(find(from, "rooms"), from->faults);
}

/* And one line per table here. */
static void destroy_parts(struct system *system)
{
    room_rules_destroy(system->rooms);
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

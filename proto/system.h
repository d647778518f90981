/*
 * A system: everything that a configuration's tables say, compiled. One constant value
 * per loaded file, held by whoever needs it; a reload makes another one and swaps. The
 * delivery path sees none of it. Counted by one thread.
 */
#ifndef PROTO_SYSTEM_H
#define PROTO_SYSTEM_H

#include "proto/document.h"
#include "proto/status.h"

/* The parts of the compiled system: a field for each table. Read-only. */
struct system {
    unsigned references;
    struct mount_rules *mounts;     /* `mounts` */
    struct auth_rules *auth;        /* `auth`, but for `auth.jwt` */
    struct connect_rules *connect;  /* `connect` */
    struct emission_list *drain;    /* `drain`, but for its window */
    struct room_rules *rooms;       /* `rooms` */
    struct catchup_rules *catchup;  /* `catchup` */
    struct command_rules *commands; /* `commands`, and all that belongs to answering */
    struct namespace_rules *namespaces; /* `namespaces` */
    struct presence_rules *presence;    /* `presence` */
    struct event_rules *events;  /* `events`, `unknown_events`, `envelope`, contracts */
    struct route_rules *routes;  /* `routes` */
    struct log_names *log_names; /* `logs.names` */
    unsigned client_uses; /* template sources that the tables for clients draw from */
};

/* How the tables get at the files that a configuration names. */
struct system_files {
    /*
     * Lends the JSON document that lies under `name` in the folder of contracts, until
     * the compilation ends. ST_NOT_FOUND: there is none, and no fault was added;
     * ST_BAD_PAYLOAD: one was.
     */
    enum status (*read_contract)(void *ctx, struct slice name,
                                 const struct document_node **root,
                                 struct faults *faults);
    /* Lends the name of the event of the nth contract in the folder, in their order;
     * NULL: there are no more. */
    const char *(*event_name)(void *ctx, size_t index);
    void *ctx;
};
/* No folder of contracts. */
extern const struct system_files system_no_files;

/*
 * Borrows all. `root` is the whole document; an empty map gives what holds without a
 * file. Gives a system (system_release), or NULL after at least one fault was added.
 */
struct system *system_compile(const struct document_node *root,
                              const struct system_files *files, struct faults *faults);
/* What holds without a file; NULL when out of memory. */
struct system *system_default(void);
/* Shares: one more system_release. */
struct system *system_share(struct system *system);
void system_release(struct system *system);

#endif

/*
 * Mounts as this gateway serves them: the dialect and the settings behind each path,
 * settled from the file's table and `gateway.*`. A connection shares the mount that it
 * came in by: a reload leaves it as it is. Constant once made. Loop thread.
 */
#ifndef CLIENT_GW_MOUNT_H
#define CLIENT_GW_MOUNT_H

#include "bridge/config.h"
#include "proto/eio_session.h"
#include "proto/mount_rules.h"

struct dialect;
struct mount_table;

struct mount {
    unsigned references;
    const struct dialect *dialect;
    struct mount_settings settings;
    struct eio_config eio; /* the same for Engine.IO */
};

struct mount *mount_share(struct mount *mount);
/* Accepts NULL. */
void mount_release(struct mount *mount);

/* Keeps `rules`. Gives a table (mount_table_destroy), or NULL when out of memory. */
struct mount_table *mount_table_create(const struct mount_rules *rules,
                                       const struct config_gateway *gateway);
/* Accepts NULL. */
void mount_table_destroy(struct mount_table *table);

/* Lends the mount that a request's path belongs to; NULL: none, or it is switched off. */
struct mount *mount_table_find(const struct mount_table *table, struct slice path);

/* How clients may come, over all of them: bits of enum mount_transport. */
unsigned mount_table_transports(const struct mount_table *table);

/* The largest message that a client may send at any of them. */
size_t mount_table_message_bytes(const struct mount_table *table);

#endif

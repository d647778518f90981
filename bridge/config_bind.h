/*
 * A configuration's document against the table of keys: what is unknown, of the wrong
 * kind, without its unit or out of range is a fault, all of them in one go. Options get
 * their values; what is in lists and maps is checked here as far as the table knows it,
 * and read by the parts of the system afterwards. Any thread.
 */
#ifndef BRIDGE_CONFIG_BIND_H
#define BRIDGE_CONFIG_BIND_H

#include "bridge/options.h"
#include "proto/document.h"

/* What a file's values lean on. */
struct config_bind_source {
    const char *folder; /* that its relative paths start at; "" leaves them as they are */
    /* secret_file_read, or a stand-in */
    enum status (*read_secret)(const char *path, char **text, const char **reason);
};

/* Borrows `root`; `options` keeps the files' names in its places. */
void config_bind(const struct document_node *root,
                 const struct config_bind_source *source, struct options *options,
                 struct faults *faults);

#endif

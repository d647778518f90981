/*
 * The folder of the durable log (`data_dir`): this user's alone, and one publisher's at a
 * time. Holds log.db, witness and lock.
 */
#ifndef BRIDGE_LOG_FOLDER_H
#define BRIDGE_LOG_FOLDER_H

#include "proto/log_epoch.h"
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LOG_PATH_BYTES = 4096,
};

/*
 * Makes the folder with its parents where it is absent (0700) and takes its lock: `*lock`
 * is a descriptor that is held until the process ends or closes it. `*reason` is a
 * sentence for the operator.
 */
enum status log_folder_claim(const char *folder, int *lock, const char **reason);

/* Writes "folder/name"; false when it is too long. */
bool log_folder_path(const char *folder, const char *name, char path[LOG_PATH_BYTES]);

/*
 * Moves the database with its companions out of the way, to log.db.damaged (an earlier
 * one is replaced, so that they do not fill the disk). Gives how many files were moved.
 */
size_t log_folder_set_aside(const char *folder);

/* All of it is on the disk. */
bool log_folder_sync(const char *folder);

/* The kernel's id of this boot. False: it has none, and no two boots are the same. */
bool log_boot_id(unsigned char boot_id[LOG_BOOT_ID_BYTES]);

#endif

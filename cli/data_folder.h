/* Where the log lies. */
#ifndef CLI_DATA_FOLDER_H
#define CLI_DATA_FOLDER_H

#include "bridge/config.h"

enum {
    DATA_FOLDER_BYTES = 1024
};

/* data_dir, else /var/lib/sidecast for root, else $XDG_STATE_HOME/sidecast or
 * ~/.local/state/sidecast. False: none of them, or too long. */
bool data_folder(const struct config *config, char path[DATA_FOLDER_BYTES]);

#endif

/* The folder of the log: see the header. */
#include "cli/data_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool data_folder(const struct config *config, char path[DATA_FOLDER_BYTES])
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len = 0;

    if (config->data_dir[0])
        len = snprintf(path, DATA_FOLDER_BYTES, "%s", config->data_dir);
    else if (geteuid() == 0)
        len = snprintf(path, DATA_FOLDER_BYTES, "/var/lib/sidecast");
    else if (state && state[0] == '/')
        len = snprintf(path, DATA_FOLDER_BYTES, "%s/sidecast", state);
    else if (home && home[0] == '/')
        len = snprintf(path, DATA_FOLDER_BYTES, "%s/.local/state/sidecast", home);
    return len > 0 && len < DATA_FOLDER_BYTES;
}

/* Where the processes of one machine meet: the folder of the bus sockets. */
#ifndef CLI_BUS_FOLDER_H
#define CLI_BUS_FOLDER_H

#include "bridge/config.h"

enum {
    BUS_URL_BYTES = 128,
    BUS_FOLDER_BYTES = 100
};

/* bus.url, else ipc:// and run_dir, else ipc:// and the usual place of this user. False:
 * too long for a socket's name. */
bool bus_url(const struct config *config, char url[BUS_URL_BYTES]);

/* Where the processes hand sockets to each other: the folder of an ipc:// bus, else
 * run_dir. False: the configuration names none. */
bool run_folder(const struct config *config, char path[BUS_FOLDER_BYTES]);

/* Whether the gateways' port is the publisher's as well. */
bool has_single_port(const struct config *config);

/* A new folder that only this user can enter, under $XDG_RUNTIME_DIR or /tmp. */
bool bus_folder_create(char path[BUS_FOLDER_BYTES]);
/* With the sockets in it; an empty path does nothing. */
void bus_folder_remove(const char *path);

#endif

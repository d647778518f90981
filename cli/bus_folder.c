/* The folder of the bus sockets: see the header. */
#include "cli/bus_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNTIME_DIR_BYTES = 60 /* a socket's whole name has 107 */
};

/* $XDG_RUNTIME_DIR where it is short enough for sockets, or NULL. */
static const char *runtime_dir(void)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");

    return dir && dir[0] == '/' && strlen(dir) < RUNTIME_DIR_BYTES ? dir : NULL;
}

bool bus_url(const struct config *config, char url[BUS_URL_BYTES])
{
    const char *runtime = runtime_dir();
    int len;

    if (config->bus.url[0])
        len = snprintf(url, BUS_URL_BYTES, "%s", config->bus.url);
    else if (config->run_dir[0])
        len = snprintf(url, BUS_URL_BYTES, "ipc://%s", config->run_dir);
    else if (geteuid() == 0)
        len = snprintf(url, BUS_URL_BYTES, "ipc:///run/sidecast");
    else if (runtime)
        len = snprintf(url, BUS_URL_BYTES, "ipc://%s/sidecast", runtime);
    else
        len = snprintf(url, BUS_URL_BYTES, "ipc:///tmp/sidecast-%u", geteuid());
    return len < BUS_FOLDER_BYTES;
}

bool run_folder(const struct config *config, char path[BUS_FOLDER_BYTES])
{
    char url[BUS_URL_BYTES];

    if (!bus_url(config, url))
        return false;
    const char *folder = strncmp(url, "ipc://", 6) == 0 ? url + 6 : config->run_dir;
    int len = snprintf(path, BUS_FOLDER_BYTES, "%s", folder);
    return len > 0 && len < BUS_FOLDER_BYTES;
}

bool has_single_port(const struct config *config)
{
    return strcmp(config->publisher.listen, "gateway") == 0;
}

bool bus_folder_create(char path[BUS_FOLDER_BYTES])
{
    const char *runtime = runtime_dir();

    if (runtime) {
        snprintf(path, BUS_FOLDER_BYTES, "%s/sidecast-XXXXXX", runtime);
        if (mkdtemp(path))
            return true;
    }
    snprintf(path, BUS_FOLDER_BYTES, "/tmp/sidecast-XXXXXX");
    if (mkdtemp(path))
        return true;
    path[0] = '\0';
    return false;
}

void bus_folder_remove(const char *path)
{
    DIR *dir = path[0] ? opendir(path) : NULL;
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(path);
}

/* Files of a configuration: see the header. */
#include "bridge/config_read.h"

#include "proto/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status config_read(const char *path, struct slice *text, const char **reason)
{
    FILE *file = fopen(path, "re");
    char *bytes = file ? malloc(LIMIT_CONFIG_BYTES + 1) : NULL;
    enum status st = !file && errno == ENOENT ? ST_NOT_FOUND : ST_BAD_REQUEST;

    *text = (struct slice){0};
    *reason = strerror(errno);
    if (bytes) {
        size_t len = fread(bytes, 1, LIMIT_CONFIG_BYTES + 1, file);
        st = ferror(file) ? ST_BAD_REQUEST : ST_OK;
        *reason = st ? strerror(errno) : "";
        if (!st && len > LIMIT_CONFIG_BYTES) {
            st = ST_TOO_LARGE;
            *reason = "larger than 1 MiB";
        }
        if (!st) {
            bytes[len] = '\0';
            *text = (struct slice){bytes, len};
        }
    }
    if (st)
        free(bytes);
    if (file)
        fclose(file);
    return st;
}

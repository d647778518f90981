/* A secret that lies in a file: see the header. */
#include "bridge/secret_file.h"

#include "proto/slice.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct slice without_margins(struct slice text)
{
    while (text.len > 0 && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    while (text.len > 0 && isspace((unsigned char)text.ptr[0]))
        text = slice_from(text, 1);
    return text;
}

enum status secret_file_read(const char *path, char **text, const char **reason)
{
    char *bytes = malloc(SECRET_FILE_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = bytes && fd >= 0 ? read(fd, bytes, SECRET_FILE_BYTES) : -1;
    enum status st = ST_BAD_PAYLOAD;

    *text = NULL;
    if (len < 0) {
        *reason = strerror(errno);
        st = ST_NOT_FOUND;
    } else if (len == SECRET_FILE_BYTES) {
        *reason = "too large for a secret";
        st = ST_TOO_LARGE;
    } else if (memchr(bytes, '\0', (size_t)len)) {
        *reason = "a secret has no zero bytes";
    } else {
        *text = slice_dup(without_margins((struct slice){bytes, (size_t)len}));
        *reason = "out of memory";
        st = *text ? ST_OK : ST_NO_MEMORY;
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
    return st;
}

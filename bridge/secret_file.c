/* A secret that lies in a file: see the header. */
#include "bridge/secret_file.h"

#include "proto/slice.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct slice without_margins(struct slice text)
{
    while (text.len > 0 && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    while (text.len > 0 && isspace((unsigned char)text.ptr[0]))
        text = slice_from(text, 1);
    return text;
}

/* To its end or the ceiling: a pipe gives it in pieces. -1: errno says why. */
static ssize_t read_all(int fd, char *bytes)
{
    size_t len = 0;

    while (len < SECRET_FILE_BYTES) {
        ssize_t n = read(fd, bytes + len, SECRET_FILE_BYTES - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static enum status take(struct slice bytes, char **text, const char **reason)
{
    struct slice secret = without_margins(bytes);

    *reason = "it is larger than 64 KiB";
    if (bytes.len == SECRET_FILE_BYTES)
        return ST_TOO_LARGE;
    *reason = "a secret has no zero bytes";
    if (bytes.len > 0 && memchr(bytes.ptr, '\0', bytes.len))
        return ST_BAD_PAYLOAD;
    *reason = "there is nothing in it";
    if (secret.len == 0)
        return ST_BAD_PAYLOAD;
    *reason = "out of memory";
    *text = slice_dup(secret);
    return *text ? ST_OK : ST_NO_MEMORY;
}

enum status secret_file_read(const char *path, char **text, const char **reason)
{
    char *bytes = malloc(SECRET_FILE_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = bytes && fd >= 0 ? read_all(fd, bytes) : -1;
    enum status st = ST_NOT_FOUND;

    *text = NULL;
    *reason = strerror(errno);
    if (len >= 0)
        st = take((struct slice){bytes, (size_t)len}, text, reason);
    if (fd >= 0)
        close(fd);
    free(bytes);
    return st;
}

bool secret_file_is_regular(const char *path)
{
    struct stat stat_of;

    return stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode);
}

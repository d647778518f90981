/*
 * Where the bus stands on this machine: see engine_nng_link.h. The lock comes before any
 * socket, because a listener of the bus library replaces a plain file, and dies of a
 * stranger who connects to see whether it is taken.
 */
#include "bridge/engine_nng_link.h"
#include "bridge/private_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const socket_names[LINK_KIND_COUNT] = {
    [LINK_EVENTS] = "events",
    [LINK_DIRECTORY] = "directory",
    [LINK_REPLAY] = "replay",
};

/* The folder of "ipc://FOLDER", or NULL. */
static const char *ipc_folder(const char *bus_url)
{
    return strncmp(bus_url, "ipc://", 6) == 0 && bus_url[6] == '/' ? bus_url + 6 : NULL;
}

static enum status tcp_url(const char *bus_url, enum link_kind kind, struct link_url *url,
                           const char **reason)
{
    const char *colon = strrchr(bus_url, ':');
    uint64_t port;

    *reason = "bus.url: expected ipc:///folder or tcp://host:port";
    if (strncmp(bus_url, "tcp://", 6) != 0 || colon < bus_url + 7)
        return ST_BAD_REQUEST;
    if (!slice_to_u64(slice_of(colon + 1), &port) || port == 0 || port + 2 > UINT16_MAX)
        return ST_BAD_REQUEST;
    int n = snprintf(url->text, sizeof url->text, "%.*s:%u", (int)(colon - bus_url),
                     bus_url, (unsigned)port + kind);
    *reason = "bus.url: too long";
    return n > 0 && (size_t)n < sizeof url->text ? ST_OK : ST_BAD_REQUEST;
}

enum status link_url(const char *bus_url, enum link_kind kind, struct link_url *url,
                     const char **reason)
{
    const char *folder = ipc_folder(bus_url);

    if (!folder)
        return tcp_url(bus_url, kind, url, reason);
    int n =
        snprintf(url->text, sizeof url->text, "ipc://%s/%s", folder, socket_names[kind]);
    size_t path_max = sizeof((struct sockaddr_un *)0)->sun_path;
    *reason = "bus.url: the folder's path is too long for a socket";
    return n > 0 && (size_t)n - 6 < path_max ? ST_OK : ST_BAD_REQUEST;
}

/* What is wrong with the folder. */
static enum status judge_folder(enum private_folder state, const char **reason)
{
    static const char *const reasons[FOLDER_STATES] = {
        [FOLDER_IS_ABSENT] = "bus.url: the folder is gone",
        [FOLDER_IS_UNSEEN] = "bus.url: cannot look at the folder",
        [FOLDER_IS_LINK] = "bus.url: is a symbolic link; name the folder itself",
        [FOLDER_IS_FOREIGN] = "bus.url: is no folder of this user",
        [FOLDER_IS_OPEN] = "bus.url: the folder is open to others; chmod it to 700",
        [FOLDER_IS_REFUSED] = "bus.url: cannot make the folder",
    };

    *reason = reasons[state];
    return state == FOLDER_IS_GOOD ? ST_OK : ST_BUS_DOWN;
}

/* "tcp://127.…:7413", "tcp://localhost:7413", "tcp://[::1]:7413" */
static bool is_loopback(const char *bus_url)
{
    static const char *const openings[] = {"tcp://127.",
                                           "tcp://localhost:", "tcp://[::1]:"};

    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (strncmp(bus_url, openings[i], strlen(openings[i])) == 0)
            /* "127.example.org" is a name, and no address. */
            return i != 0 || strspn(bus_url + 6, "0123456789.") ==
                                 (size_t)(strrchr(bus_url, ':') - bus_url - 6);
    return false;
}

enum status link_trust(const char *bus_url, struct slice secret, const char **reason)
{
    const char *folder = ipc_folder(bus_url);
    struct link_url url;

    enum status st = link_url(bus_url, LINK_EVENTS, &url, reason);
    if (st)
        return st;
    *reason = "bus.secret must have at least 32 bytes";
    if (secret.len > 0 && secret.len < SEAL_SECRET_MIN_BYTES)
        return ST_BAD_REQUEST;
    if (folder) {
        /* The publisher will make it: until then a gateway dials in vain. */
        enum private_folder state = private_folder_check(folder);
        return state == FOLDER_IS_ABSENT ? ST_OK : judge_folder(state, reason);
    }
    *reason = "bus.url: beyond this machine the bus needs bus.secret";
    return secret.len > 0 || is_loopback(bus_url) ? ST_OK : ST_BAD_REQUEST;
}

static enum status take_lock(const char *folder, int *lock, const char **reason)
{
    char path[256];

    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    *reason = "bus.url: cannot make the lock file";
    if (fd < 0)
        return ST_BUS_DOWN;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        *reason = "another publisher already uses this bus.url";
        return ST_CONFLICT;
    }
    *lock = fd;
    return ST_OK;
}

static enum status clear_socket(const char *path, const char **reason)
{
    struct stat info;

    if (lstat(path, &info))
        return ST_OK;
    *reason = "bus.url: a file that is no socket stands in the way";
    if (!S_ISSOCK(info.st_mode))
        return ST_BUS_DOWN;
    *reason = "bus.url: cannot remove the socket of an earlier publisher";
    return unlink(path) ? ST_BUS_DOWN : ST_OK;
}

enum status link_folder_claim(const char *bus_url, int *lock, const char **reason)
{
    const char *folder = ipc_folder(bus_url);
    char path[256];

    *lock = -1;
    if (!folder)
        return ST_OK; /* tcp: the port itself can be taken once only */
    enum status st = judge_folder(private_folder_make(folder), reason);
    if (!st)
        st = take_lock(folder, lock, reason);
    for (int kind = 0; !st && kind < LINK_KIND_COUNT; kind++) {
        snprintf(path, sizeof path, "%s/%s", folder, socket_names[kind]);
        st = clear_socket(path, reason);
    }
    return st;
}

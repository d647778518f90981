/* A role's listening socket: see the header. */
#include "cli/listener.h"

#include "bridge/front.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* -1: not inherited. */
static int inherited(const char *name)
{
    const char *text = getenv("SIDECAST_LISTEN_FDS");
    struct slice rest = slice_of(text ? text : "");

    while (rest.len > 0) {
        struct slice entry, key, value;
        uint64_t fd;
        slice_cut(rest, ',', &entry, &rest);
        if (slice_cut(entry, '=', &key, &value) && slice_is(key, name) &&
            slice_to_u64(value, &fd) && fd < 1024 &&
            fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0)
            return (int)fd;
    }
    return -1;
}

int listener_bind(const char *name, const char *address, bool is_shared)
{
    const char *reason = "";
    int fd = front_listen(address, is_shared, &reason);

    if (fd < 0)
        fprintf(stderr, "sidecast: cannot listen on %s for the %s: %s\n", address, name,
                reason);
    return fd;
}

int listener_open(const char *name, const char *address, bool is_shared)
{
    int fd = inherited(name);

    return fd >= 0 ? fd : listener_bind(name, address, is_shared);
}

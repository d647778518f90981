/* A role's listening socket: inherited from its supervisor, or opened here. */
#ifndef CLI_LISTENER_H
#define CLI_LISTENER_H

#include <stdbool.h>

/*
 * Gives the descriptor that SIDECAST_LISTEN_FDS ("publisher=4,ops=5") has for `name`, or
 * else a new listener on `address`. -1: an error was printed.
 */
int listener_open(const char *name, const char *address, bool is_shared);

/* Opens `address` and says on stderr what stood in the way. -1: it did. */
int listener_bind(const char *name, const char *address, bool is_shared);

#endif

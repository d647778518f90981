/*
 * A client of a load that polls (Engine.IO's long-polling): one request at a time on one
 * kept connection, a POST while it has something to say, else a GET. Text in, text out.
 */
#ifndef CLI_LOAD_POLLER_H
#define CLI_LOAD_POLLER_H

#include "proto/buf.h"
#include "proto/limits.h"

struct load_poller {
    char sid[LIMIT_EIO_SID_BYTES + 1]; /* empty: the handshake is not answered yet */
    bool is_posting;
    struct buf pending; /* packets to post */
};

/* Start with {0}; finish gives the memory back. */
void load_poller_finish(struct load_poller *poller);

/* A packet for the next POST. */
void load_poller_say(struct load_poller *poller, struct slice packet);

/* Appends the request that comes next; `target` is that of the handshake. */
void load_poller_ask(struct load_poller *poller, const char *authority,
                     const char *target, struct buf *out);

/*
 * Reads the answer to it and lends its packets, as one body; none for a POST. `*rest` is
 * what follows. ST_AGAIN: it is not whole. ST_BAD_PACKET: it is another one; `*status` is
 * its HTTP status, or 0.
 */
enum status load_poller_take(struct load_poller *poller, struct slice bytes,
                             struct slice *packets, struct slice *rest, int *status);

#endif

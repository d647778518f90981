/*
 * One listening client of a load: connects, upgrades, joins its rooms, and measures what
 * comes. One thread.
 */
#ifndef CLI_LOAD_CLIENT_H
#define CLI_LOAD_CLIENT_H

#include "cli/load_dialect.h"
#include "cli/load_link.h"
#include "cli/load_loop.h"
#include "cli/load_measure.h"
#include "cli/load_poller.h"

enum load_client_state {
    LOAD_CLIENT_NEW,
    LOAD_CLIENT_CONNECTING,
    LOAD_CLIENT_UPGRADING,
    LOAD_CLIENT_JOINING,
    LOAD_CLIENT_LIVE,
    LOAD_CLIENT_GONE
};

enum {
    LOAD_REASON_BYTES = 120
};

struct load_client;

/* What all clients share. */
struct load_crowd {
    struct load_loop *loop;
    const struct load_peer *peer;
    const struct load_dialect *dialect;
    struct load_measure *measure;
    size_t hint; /* where stamps stand */
    /* It listens. */
    void (*on_live)(struct load_crowd *crowd, struct load_client *client);
    /* It was refused or lost; `was_live` tells which. `reason` is lent. */
    void (*on_gone)(struct load_crowd *crowd, struct load_client *client, bool was_live,
                    const char *reason);
    void *ctx;
};

struct load_client {
    struct load_link link; /* first: links are cast back to their client */
    struct load_crowd *crowd;
    size_t index;
    enum load_client_state state;
    struct load_seat seat;
    struct load_poller poller; /* where its dialect polls */
    uint64_t started_us;
};

/* Begins to connect; on_live or on_gone follows, perhaps at once. Crowd and seat are set.
 */
void load_client_start(struct load_client *client);
/* Without a word to the server or on_gone; it can start again. */
void load_client_stop(struct load_client *client);

#endif

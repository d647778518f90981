/*
 * A client that does what the official one does (engine.io-client 6): one poll and one
 * POST at a time, a probe, a pause until both are back, then "5" and everything on the
 * WebSocket. It counts what it hears and what it says.
 */
#ifndef TESTS_SIM_LIB_CLIENT_H
#define TESTS_SIM_LIB_CLIENT_H

#include "sim/lib/net.h"

enum {
    CLIENT_BUFFER = 1024,
    CLIENT_PONG = 0 /* in the buffer, among the numbers of messages */
};

struct client {
    struct world *world;
    struct net *net;
    struct net_user user;
    unsigned get, post;
    unsigned websocket; /* the transport */
    unsigned probe;     /* a WebSocket that is to become it */
    bool is_open;
    bool is_pausing;   /* "3probe" came: no poll, no POST any more */
    bool is_closing;   /* it closes once what it has to say is said */
    bool has_vanished; /* it does nothing any more, and says nothing */
    const char *end;   /* why it closed */
    uint64_t probed_ms, upgraded_ms, life_ms;
    uint64_t silence_ms; /* without a ping: it gives up */
    unsigned buffer[CLIENT_BUFFER];
    unsigned buffered;
    unsigned said, heard;
};

/* Begins to poll, or is on its WebSocket. */
void client_init(struct client *client, struct world *world, struct net *net,
                 bool is_websocket, uint64_t silence_ms);
void client_say(struct client *client, unsigned count);
void client_probe(struct client *client);
void client_close(struct client *client);
void client_vanish(struct client *client);
/* Something that it waits for breaks. */
void client_suffer(struct client *client);

#endif

/*
 * A server with one session: it carries out what the machine says, as a gateway does, and
 * holds it to the rules. Its application counts what it hears and what it says.
 */
#ifndef TESTS_SIM_LIB_HOST_H
#define TESTS_SIM_LIB_HOST_H

#include "proto/eio_session.h"
#include "sim/lib/net.h"

enum {
    HOST_QUEUE = 1024,
    HOST_LATE_MS = 8, /* timers come that much later than they are due */
    HOST_BODY_TIMEOUT_MS = 5000
};

/*
 * A fault built into the machine, to see that it is noticed. Both may be NULL. The first
 * says what happens instead (EIO_EVENT_COUNT: nothing), the second changes what is done.
 */
struct sabotage {
    const char *name;
    enum eio_event (*on_event)(const struct eio_session *session, enum eio_event event);
    void (*on_todo)(struct eio_session *session, enum eio_event event, bool has_queue,
                    struct eio_todo *todo);
};

struct host_packet {
    bool is_ping;
    bool is_binary;
    unsigned number;
};

struct host {
    struct world *world;
    struct net *net;
    const struct sabotage *sabotage; /* NULL: none */
    struct net_server server;
    struct eio_config config;
    struct eio_session session;
    bool is_known; /* its sid is */

    unsigned held, reading, websocket; /* what the machine's outputs speak of */
    uint64_t held_ms, probed_ms, websocket_ms, shut_ms, life_ms, timer_ms;
    unsigned noops; /* since the probe */
    unsigned upgrades;

    struct host_packet queue[HOST_QUEUE];
    unsigned first, count;

    unsigned talk_percent; /* answers of the application to what it hears */
    unsigned said, heard;  /* the last number */
    unsigned posts_ok, junk_bodies;
};

void host_init(struct host *host, struct world *world, struct net *net, bool is_websocket,
               const struct sabotage *sabotage);
/* The application says `count` things at once. */
void host_say(struct host *host, unsigned count);
/* The application ends it: seen by the client, or not at all. */
void host_shut(struct host *host, bool is_abandoned);
/* Whether all promises hold at this moment. */
void host_check(struct host *host);
/* Whether nothing is left of the session. */
void host_check_gone(struct host *host);

#endif

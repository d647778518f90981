/*
 * One schedule: a server, an honest client or a hostile one or both, and what happens to
 * them, all of it from one seed; then the promises are checked. A few hundred events.
 */
#ifndef TESTS_SIM_LIB_SCHEDULE_H
#define TESTS_SIM_LIB_SCHEDULE_H

#include "sim/lib/client.h"
#include "sim/lib/host.h"
#include "sim/lib/hostile.h"
#include "sim/lib/sabotage.h"

enum plot {
    PLOT_CLEAN,  /* an honest client on a network without faults */
    PLOT_PEST,   /* the same, with somebody who knows its sid and does what is harmless */
    PLOT_FAULTY, /* an honest client on a bad network */
    PLOT_HOSTILE,
    PLOT_COUNT
};

/* What was seen, to know that a run was about something. */
struct tally {
    uint64_t schedules, plots[PLOT_COUNT];
    uint64_t events, messages, upgrades, requests, sockets;
    uint64_t slowest_upgrade_ms;
};

/* Large: one is used for all schedules. */
struct schedule {
    struct world world;
    struct net net;
    struct host host;
    struct client client;
    struct hostile hostile;
    enum plot plot;
    bool is_websocket;
    unsigned ending;
    bool was_pausing;  /* the client, when the server closed */
    uint64_t quiet_ms; /* from here on nobody begins anything */
};

/* False: a promise was broken, schedule->world.failure says which. `sabotage` may be
 * NULL. */
bool schedule_run(struct schedule *schedule, uint64_t seed,
                  const struct sabotage *sabotage, bool is_tracing, struct tally *tally);

#endif

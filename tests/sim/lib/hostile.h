/*
 * A client that does what no client should: polls on polls, POSTs that end or do not,
 * nonsense on WebSockets, and leaves when it likes. A pest only does what must not
 * disturb the honest client beside it.
 */
#ifndef TESTS_SIM_LIB_HOSTILE_H
#define TESTS_SIM_LIB_HOSTILE_H

#include "sim/lib/net.h"

struct hostile {
    struct world *world;
    struct net *net;
    struct net_user user;
};

void hostile_init(struct hostile *hostile, struct world *world, struct net *net);
void hostile_act(struct hostile *hostile);
/* `is_upgraded`: the session it pesters has left polling. */
void hostile_pester(struct hostile *hostile, bool is_upgraded);

#endif

/*
 * Ceilings for each client address: connections, heads that are waited for, handshakes in
 * a while; and handshakes of all together. An IPv6 /64 counts as one address. Loopback is
 * exempt unless the configuration says otherwise. While the loop is overloaded
 * (loop_lag) no handshake begins at all: who is here comes first. Loop thread only.
 *
 * The table holds an address while it has connections, and for a short while after its
 * last handshake, so that leaving and returning gains nothing.
 */
#ifndef BRIDGE_PEER_LIMITS_H
#define BRIDGE_PEER_LIMITS_H

#include "bridge/config.h"
#include "bridge/metrics.h"
#include "proto/ip_prefix.h"
#include "proto/token_bucket.h"

struct peer_limits;
struct peer_guest; /* one address that is counted */

struct peer_limits_config {
    unsigned connections;             /* of one address */
    unsigned pending;                 /* of these, heads that are still on their way */
    struct token_rate handshakes;     /* of one address */
    struct token_rate all_handshakes; /* of all; exempt ones too if they are counted */
    bool counts_loopback;             /* in what is per address */
    bool counts_loopback_handshakes;  /* in what is for all */
    size_t max_addresses;
    struct metrics *metrics; /* keeps; NULL: nothing is counted, and nothing overloaded */
};

/* What `limits` says. */
void peer_limits_read(const struct config_limits *limits,
                      struct peer_limits_config *config);

/* Gives a table (peer_limits_destroy, once all guests have left), or NULL. */
struct peer_limits *peer_limits_create(const struct peer_limits_config *config);
void peer_limits_destroy(struct peer_limits *limits);
/* Other ceilings from now on, for who is here, too; max_addresses and metrics stay. */
void peer_limits_use(struct peer_limits *limits, const struct peer_limits_config *config);

/*
 * ST_OK counts a connection of `address`: `*guest` is lent until it leaves; NULL, which
 * all of these accept: the address is exempt. ST_LIMIT: it has as many as it may have.
 * ST_BUSY: too many addresses are here.
 */
enum status peer_limits_enter(struct peer_limits *limits,
                              const struct ip_address *address, uint64_t now_ms,
                              struct peer_guest **guest);
void peer_guest_leave(struct peer_guest *guest);
/* Lends whom it counts: of IPv6, the network that stands for its addresses. */
const struct ip_address *peer_guest_site(const struct peer_guest *guest);

/* Its head is waited for, or no more. False: too many of this address are. */
bool peer_guest_wait(struct peer_guest *guest);
void peer_guest_waited(struct peer_guest *guest);

/* Whether another handshake may begin now; if so, it is counted. */
bool peer_limits_admit(struct peer_limits *limits, struct peer_guest *guest,
                       uint64_t now_ms);

/* How many addresses are in the table. */
size_t peer_limits_addresses(const struct peer_limits *limits);

#endif

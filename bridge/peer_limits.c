/* Ceilings for each client address: see the header. */
#include "bridge/peer_limits.h"

#include "bridge/list.h"
#include "bridge/random.h"
#include "bridge/str_map.h"

#include <stdlib.h>

enum {
    /* Of one address: a page of an office that reloads, not a loop without a pause. */
    HANDSHAKES_OF_ONE = 100,
    HANDSHAKES_OF_ONE_MS = 5000,
    FORGET_A_TURN = 4, /* more than come in, so the list of the resting gets shorter */
};

struct peer_guest {
    struct list_node node; /* first: see list.h; in limits->resting without connections */
    struct peer_limits *limits;
    struct ip_address site; /* the key */
    unsigned connections, pending;
    struct token_bucket handshakes;
};

struct peer_limits {
    struct peer_limits_config config;
    struct str_map by_site;
    struct list_node resting; /* the one that has rested longest first */
    struct token_bucket all_handshakes;
};

void peer_limits_read(const struct config_limits *limits,
                      struct peer_limits_config *config)
{
    const char *ignored; /* it was checked when it was set */

    *config = (struct peer_limits_config){
        .connections = (unsigned)limits->connections_per_ip,
        .pending = (unsigned)(limits->connections_per_ip + 1) / 2,
        .handshakes = {HANDSHAKES_OF_ONE, HANDSHAKES_OF_ONE_MS},
        .counts_loopback = limits->is_per_ip_set,
        .counts_loopback_handshakes = limits->is_handshakes_set,
        .max_addresses = LIMIT_PEER_ADDRESSES,
    };
    token_rate_parse(slice_of(limits->handshakes), &config->all_handshakes, &ignored);
}

struct peer_limits *peer_limits_create(const struct peer_limits_config *config)
{
    struct peer_limits *limits = calloc(1, sizeof *limits);
    struct hash_key key = random_hash_key();

    if (!limits)
        return NULL;
    limits->config = *config;
    str_map_init(&limits->by_site, &key, config->max_addresses);
    list_init(&limits->resting);
    return limits;
}

static struct slice key_of(const struct peer_guest *guest)
{
    return (struct slice){(const char *)guest->site.bytes, sizeof guest->site.bytes};
}

static void forget(struct peer_guest *guest)
{
    list_remove(&guest->node);
    str_map_remove(&guest->limits->by_site, key_of(guest));
    free(guest);
}

void peer_limits_destroy(struct peer_limits *limits)
{
    struct list_node *node;

    if (!limits)
        return;
    while ((node = list_first(&limits->resting)))
        forget((struct peer_guest *)node);
    str_map_finish(&limits->by_site);
    free(limits);
}

void peer_limits_use(struct peer_limits *limits, const struct peer_limits_config *config)
{
    const struct token_rate before = limits->config.all_handshakes;
    size_t max_addresses = limits->config.max_addresses;
    struct metrics *metrics = limits->config.metrics;

    limits->config = *config;
    limits->config.max_addresses = max_addresses;
    limits->config.metrics = metrics;
    if (before.count != config->all_handshakes.count ||
        before.window_ms != config->all_handshakes.window_ms)
        limits->all_handshakes = (struct token_bucket){0};
}

static void forget_rested(struct peer_limits *limits, uint64_t now_ms)
{
    for (int i = 0; i < FORGET_A_TURN; i++) {
        struct list_node *node = list_first(&limits->resting);
        struct peer_guest *guest = (struct peer_guest *)node;
        if (!node ||
            !token_bucket_is_full(&guest->handshakes, &limits->config.handshakes, now_ms))
            return;
        forget(guest);
    }
}

static struct peer_guest *make_guest(struct peer_limits *limits,
                                     const struct ip_address *site)
{
    /* One that is not here any more makes room for one that is. */
    if (str_map_count(&limits->by_site) >= limits->config.max_addresses &&
        !list_is_empty(&limits->resting))
        forget((struct peer_guest *)list_first(&limits->resting));
    struct peer_guest *guest = calloc(1, sizeof *guest);

    if (!guest)
        return NULL;
    guest->limits = limits;
    guest->site = *site;
    if (str_map_put(&limits->by_site, key_of(guest), guest)) {
        free(guest);
        return NULL;
    }
    return guest;
}

enum status peer_limits_enter(struct peer_limits *limits,
                              const struct ip_address *address, uint64_t now_ms,
                              struct peer_guest **guest)
{
    *guest = NULL;
    if (!limits->config.counts_loopback && ip_address_is_loopback(address))
        return ST_OK;
    forget_rested(limits, now_ms);

    const struct ip_address site = ip_address_site(address);
    struct slice key = {(const char *)site.bytes, sizeof site.bytes};
    struct peer_guest *found = str_map_find(&limits->by_site, key);
    if (found && found->connections >= limits->config.connections)
        return ST_LIMIT;
    if (!found)
        found = make_guest(limits, &site);
    if (!found)
        return ST_BUSY;
    list_remove(&found->node);
    found->connections++;
    *guest = found;
    return ST_OK;
}

const struct ip_address *peer_guest_site(const struct peer_guest *guest)
{
    return &guest->site;
}

void peer_guest_leave(struct peer_guest *guest)
{
    if (!guest || --guest->connections > 0)
        return;
    if (guest->handshakes.debt == 0)
        forget(guest);
    else
        list_append(&guest->limits->resting, &guest->node);
}

bool peer_guest_wait(struct peer_guest *guest)
{
    if (guest && guest->pending >= guest->limits->config.pending)
        return false;
    if (guest)
        guest->pending++;
    return true;
}

void peer_guest_waited(struct peer_guest *guest)
{
    if (guest)
        guest->pending--;
}

static bool is_overloaded(const struct metrics *metrics)
{
    return metrics && atomic_load_explicit(&metrics->values[METRIC_OVERLOADED],
                                           memory_order_relaxed) > 0;
}

static bool may_begin(struct peer_limits *limits, struct peer_guest *guest,
                      uint64_t now_ms)
{
    const struct peer_limits_config *config = &limits->config;

    if (guest && !token_bucket_take(&guest->handshakes, &config->handshakes, now_ms))
        return false;
    if (!guest && !config->counts_loopback_handshakes)
        return true;
    return !is_overloaded(config->metrics) &&
           token_bucket_take(&limits->all_handshakes, &config->all_handshakes, now_ms);
}

bool peer_limits_admit(struct peer_limits *limits, struct peer_guest *guest,
                       uint64_t now_ms)
{
    bool may = may_begin(limits, guest, now_ms);

    if (!may && limits->config.metrics)
        metrics_add(limits->config.metrics, METRIC_HANDSHAKES_REFUSED, 1);
    return may;
}

size_t peer_limits_addresses(const struct peer_limits *limits)
{
    return str_map_count(&limits->by_site);
}

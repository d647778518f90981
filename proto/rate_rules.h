/*
 * Named rates: how often something may be done, counted per socket, user or address, and
 * what happens beyond. The table `limits.rates` of a configuration. Pure.
 */
#ifndef PROTO_RATE_RULES_H
#define PROTO_RATE_RULES_H

#include "proto/document.h"
#include "proto/token_bucket.h"

enum rate_per {
    RATE_PER_SOCKET,
    RATE_PER_USER,
    RATE_PER_IP,
};

/* What happens to what is too much. */
enum rate_then {
    RATE_THEN_ACK,        /* it fails: E_RATE_LIMIT */
    RATE_THEN_DROP,       /* nothing is done or said */
    RATE_THEN_DISCONNECT, /* it fails, and the connection ends */
    RATE_THEN_WARN,       /* it is done, and logged */
};

struct rate_rule {
    struct slice name;
    struct token_rate rate;
    enum rate_per per;
    enum rate_then then;
    size_t index; /* per socket: among those; else among all */
};

struct rate_rules;

/* Borrows `rates`, a map, or NULL for none. Gives rules (rate_rules_destroy), or NULL
 * after at least one fault was added. */
struct rate_rules *rate_rules_compile(const struct document_node *rates,
                                      struct faults *faults);
void rate_rules_destroy(struct rate_rules *rules);

/* Lends the rule that the scalar names, or NULL after a fault with the nearest name. */
const struct rate_rule *rate_rules_find(const struct rate_rules *rules,
                                        const struct document_node *name,
                                        struct faults *faults);

/* So many buckets a socket has. */
size_t rate_rules_per_socket(const struct rate_rules *rules);

#endif

/*
 * Rules of catch-up by time: the `catchup` table of a configuration. A client that could
 * not be recovered may say when its last event was, and gets what came since, within
 * bounds. Pure, and constant once compiled.
 */
#ifndef PROTO_CATCHUP_RULES_H
#define PROTO_CATCHUP_RULES_H

#include "proto/emission.h"

struct catchup_rules;

/* What a client that asks gets at most. */
struct catchup_limits {
    uint32_t per_room, total; /* events */
    uint64_t ttl_ms;          /* not older */
    bool oldest_first;        /* of too many the oldest ones, else the newest */
};

/* What an empty table says, and what holds where it is silent. */
extern const struct catchup_limits catchup_defaults;

/* Borrows `node`, the `catchup` map, or NULL for none: then nobody can ask. Gives rules
 * (catchup_rules_destroy), or NULL after at least one fault was added. */
struct catchup_rules *catchup_rules_compile(const struct document_node *node,
                                            struct faults *faults);
void catchup_rules_destroy(struct catchup_rules *rules);

/* The sources that any of its templates draws from. */
unsigned catchup_rules_uses(const struct catchup_rules *rules);
const struct catchup_limits *catchup_rules_limits(const struct catchup_rules *rules);

enum catchup_wish {
    CATCHUP_UNASKED,   /* the client names no moment: it is new */
    CATCHUP_ASKED,     /* it wants what came since */
    CATCHUP_UNREADABLE /* it wants that, too, but nobody can tell since when */
};
/* `scratch` is used. */
enum catchup_wish catchup_rules_since(const struct catchup_rules *rules,
                                      const struct template_values *values,
                                      struct buf *scratch, int64_t *since_ms);

/* What is emitted after the events; `only_if_cut`: when not all were given. Lent. */
const struct emission_list *catchup_rules_done(const struct catchup_rules *rules,
                                               bool *only_if_cut);

/* --- one room's history: `rooms[].history` --- */

struct room_history {
    bool is_set;       /* else what `catchup` says */
    uint32_t size;     /* events */
    uint64_t ttl_ms;   /* not older */
    bool goes_to_join; /* who joins gets it, too, without asking */
};
/* Borrows `node`, the map, or NULL for none. False after a fault. */
bool room_history_read(const struct document_node *node, struct room_history *history,
                       struct faults *faults);

#endif

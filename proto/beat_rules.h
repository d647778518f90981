/*
 * Heartbeats that an application sees: an event that the server emits every so often, and
 * how a client answers it, by an ack or by an event of its own; that gives the time of a
 * round trip. The table `heartbeats` of a configuration. Pure.
 */
#ifndef PROTO_BEAT_RULES_H
#define PROTO_BEAT_RULES_H

#include "proto/document.h"

enum {
    BEAT_RULES_MAX = 8 /* a session has one bit for each */
};

struct beat_rule {
    struct slice event_json; /* what is emitted: a JSON string with its quotes */
    uint64_t every_ms;
    bool wants_ack;
    struct slice expects; /* the event that answers; empty: none */
};

struct beat_rules;

/* Borrows `heartbeats`, a list, or NULL for none. Gives rules (beat_rules_destroy), or
 * NULL after at least one fault was added. */
struct beat_rules *beat_rules_compile(const struct document_node *heartbeats,
                                      struct faults *faults);
void beat_rules_destroy(struct beat_rules *rules);

size_t beat_rules_count(const struct beat_rules *rules);
/* Lends a row. */
const struct beat_rule *beat_rules_at(const struct beat_rules *rules, size_t i);
/* The row that an event of a client answers, or -1. */
int beat_rules_expecting(const struct beat_rules *rules, struct slice event);

#endif

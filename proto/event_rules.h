/*
 * Rules of events: the catalog that a configuration describes by `events`, `contracts`,
 * `unknown_events` and `envelope`. Each event has what its payload must look like, who
 * may publish it, where it goes when the publish names no target, and what clients get of
 * it. A contract file makes an event known without a row of its own. Pure: asked once per
 * publish or command, never per delivery.
 */
#ifndef PROTO_EVENT_RULES_H
#define PROTO_EVENT_RULES_H

#include "proto/contract.h"
#include "proto/system.h"

struct event_rule;
struct event_rules;

/*
 * Borrows `root`, a whole configuration, and `files`. Unknown events are allowed unless
 * the file says otherwise, or names a folder of contracts. Gives rules
 * (event_rules_destroy), or NULL after at least one fault was added.
 */
struct event_rules *event_rules_compile(const struct document_node *root,
                                        const struct system_files *files,
                                        struct faults *faults);
void event_rules_destroy(struct event_rules *rules);

/* Whether they say nothing at all: every event may go out as it comes. */
bool event_rules_are_none(const struct event_rules *rules);

/*
 * The rule of an event, also by one of its aliases; where unknown events are allowed, an
 * unknown one's, which only says what holds for all. NULL: unknown, and denied; then
 * `*meant`, unless NULL, is the nearest name or NULL. Lent by the rules.
 */
const struct event_rule *event_rules_find(const struct event_rules *rules,
                                          struct slice event, const char **meant);

/* All events, in the order of the file and then of the contracts. */
size_t event_rules_count(const struct event_rules *rules);
const struct event_rule *event_rules_at(const struct event_rules *rules, size_t at);

/* The event's own name, not an alias; empty: an unknown event's rule. */
struct slice event_rule_name(const struct event_rule *rule);

bool event_rule_has_contract(const struct event_rule *rule);

/*
 * Does a payload (raw JSON that has passed the gate) keep the event's contract? The same
 * for what a backend publishes and for what a client sends. An empty payload is none,
 * which keeps no contract. ST_BAD_PAYLOAD fills `report`. Any thread.
 */
enum status event_rule_check(const struct event_rule *rule, struct slice payload,
                             struct contract_report *report);

/* Whether the row says who may publish it; then event_rule_names_publisher tells of each
 * of a caller's names and scopes. */
bool event_rule_is_restricted(const struct event_rule *rule);
bool event_rule_names_publisher(const struct event_rule *rule, struct slice word);

/* The names that clients get it under, when these are others than its own. */
struct event_name {
    struct slice text, json; /* lent by the rules */
};
size_t event_rule_emit_count(const struct event_rule *rule); /* 0: its own */
struct event_name event_rule_emit_name(const struct event_rule *rule, size_t at);

/* Whether a rendering of this rule needs a UUID; then it must be given one. */
bool event_rule_uses_uuid(const struct event_rule *rule);

/* Appends the name of the file that is an event's contract without being named:
 * "message%3Anew.schema.json". */
void event_contract_file(struct slice event, struct buf *out);

#endif

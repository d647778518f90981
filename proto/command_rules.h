/*
 * Commands: what clients may ask for by an event, and what is done then. Compiled from
 * `commands`, with all that belongs to answering: `ack`, `error_event`, `codes`,
 * `limits.rates`, `client_events`, `heartbeats`. Where a file names no commands, there
 * are subscribe, unsubscribe and auth:refresh, spelled in the same language. Pure, and
 * constant once compiled.
 */
#ifndef PROTO_COMMAND_RULES_H
#define PROTO_COMMAND_RULES_H

#include "proto/ack_rules.h"
#include "proto/beat_rules.h"
#include "proto/command_args.h"
#include "proto/command_sources.h"
#include "proto/rate_rules.h"

enum command_action {
    COMMAND_JOIN,
    COMMAND_LEAVE,
    COMMAND_ROOMS,   /* answers the names of the session's rooms */
    COMMAND_WHOAMI,  /* answers {id, user, rooms, recovered} */
    COMMAND_REFRESH, /* a newer token of the same user: {args.0.token} */
    COMMAND_REPLY,   /* an event back to the caller */
    COMMAND_ACK,     /* an answer and nothing else */
    COMMAND_RELAY,   /* an event to everybody in a room */
    COMMAND_CLOSE,   /* the connection ends; a client may come back */
    COMMAND_ACTION_COUNT
};

/* What becomes of an event that is no command. */
enum command_unknown {
    COMMAND_UNKNOWN_IGNORE, /* counted; told to who wants an ack */
    COMMAND_UNKNOWN_REFUSE,
    COMMAND_UNKNOWN_DISCONNECT,
};

/* Values that are sent: one payload, or arguments. */
struct command_output {
    const struct template *template; /* NULL: none */
    bool is_list;                    /* its rendering is an array of the arguments */
};

/* One command. What is not meant for its action is empty. */
struct command_rule {
    struct slice name;
    enum command_action action;
    const struct command_args *args; /* NULL: any */
    const struct template *room;     /* gives one */
    struct template *const *allow;   /* patterns; NULL: the rooms' own rules decide */
    size_t allow_count;
    struct slice event, event_json; /* reply: event, relay: as; plain and as JSON */
    struct command_output output;   /* of reply and relay */
    bool except_self;               /* relay; true unless said */
    bool must_be_member;            /* relay; true unless said */
    const struct rate_rule *limit;  /* NULL: none */
    struct command_output ok;       /* the ack of a success */
    const struct template *error;   /* and of a failure */
};

struct command_rules;

/* Borrows `root`, a whole configuration, or NULL for the defaults. Gives rules
 * (command_rules_destroy), or NULL after at least one fault was added. */
struct command_rules *command_rules_compile(const struct document_node *root,
                                            struct faults *faults);
void command_rules_destroy(struct command_rules *rules);

/* All lend. */
const struct command_rule *command_rules_find(const struct command_rules *rules,
                                              struct slice name);
size_t command_rules_count(const struct command_rules *rules);
const struct command_rule *command_rules_at(const struct command_rules *rules, size_t i);
enum command_unknown command_rules_unknown(const struct command_rules *rules);
const struct ack_rules *command_rules_acks(const struct command_rules *rules);
const struct rate_rules *command_rules_rates(const struct command_rules *rules);
const struct beat_rules *command_rules_beats(const struct command_rules *rules);

/* The sources that any of the templates draws from: what must be kept of a client. */
unsigned command_rules_uses(const struct command_rules *rules);

/*
 * Renders values to send: raw JSON, comma-separated, appended to `out`, which lends
 * `*values` until it changes. As template_json; an output without template gives nothing.
 */
enum status command_output_render(const struct command_output *output,
                                  const struct template_values *from, struct buf *out,
                                  struct slice *values, struct template_failure *failure);

/* Whether one of the rule's `allow` patterns matches a room as it is spelled. `scratch`
 * is used for the patterns. */
bool command_rule_allows(const struct command_rule *rule,
                         const struct template_values *values, struct slice room,
                         struct buf *scratch);

/*
 * Whether the rule could put these claims into the room: it joins, its `room` can give
 * the name, and its `allow` lets them in. `values` need claims and user.
 */
bool command_rule_leads_into(const struct command_rule *rule,
                             const struct template_values *values, struct slice room,
                             struct buf *scratch);

#endif

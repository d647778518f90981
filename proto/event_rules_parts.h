/* A compiled catalog; compiling it and shaping a publish share it, nobody else includes
 * it. */
#ifndef PROTO_EVENT_RULES_PARTS_H
#define PROTO_EVENT_RULES_PARTS_H

#include "proto/event_rules.h"
#include "proto/template.h"

/* What a row may draw from. */
#define EVENT_SOURCES                                                                    \
    (TEMPLATE_BIT(TEMPLATE_PAYLOAD) | TEMPLATE_BIT(TEMPLATE_ARGS) |                      \
     TEMPLATE_BIT(TEMPLATE_EVENT) | TEMPLATE_BIT(TEMPLATE_NOW) |                         \
     TEMPLATE_BIT(TEMPLATE_UUID) | TEMPLATE_BIT(TEMPLATE_REQUEST))

/* What a row says about a flag that a publish may leave out. */
enum event_default {
    EVENT_UNSAID,
    EVENT_OFF,
    EVENT_ON
};

/* A word of a list: terminated, and the same as a JSON string. */
struct event_word {
    char *text;
    char *json;
};

struct event_words {
    struct event_word *items;
    size_t count;
};

struct event_rule {
    struct event_word name;    /* of a rule for unknown events: NULL */
    struct contract *contract; /* NULL: anything holds */
    struct template **to;
    size_t to_count;
    bool is_first_of;             /* of `to` the first that can be filled in, not all */
    const struct template *shape; /* what clients get; NULL: what was published */
    struct template *own_shape;   /* the same, when it is written in the row */
    bool has_args;                /* it makes the arguments, else the payload */
    bool is_list;                 /* it brings its brackets along */
    struct event_words emit_as, publish, aliases;
    enum event_default history, is_volatile;
};

/* A name that finds a rule. */
struct event_key {
    const char *name;
    const struct event_rule *rule;
    struct place place; /* while compiling */
};

struct event_rules {
    struct event_rule *rules; /* as many as there is room for: they stay where they are */
    size_t count;
    struct event_key *keys; /* by name */
    size_t key_count;
    const char **names;      /* of the keys: the words that one may have meant */
    struct event_rule other; /* of unknown events */
    bool denies_unknown;
    struct template *envelope; /* of all rows without a shape of their own */
};

/* Reads the row of an event (NULL: it has none) into `rule`, whose name is set. False:
 * faults were added. */
bool event_row_read(const struct document_node *row, const struct system_files *files,
                    struct event_rule *rule, struct faults *faults);
void event_rule_finish(struct event_rule *rule);

/* The template of a payload that clients get, or NULL after a fault. */
struct template *event_envelope_compile(const struct document_node *node,
                                        struct faults *faults);

/* Copies a word. False: out of memory. */
bool event_word_set(struct event_word *word, struct slice text);

/* NULL, or why a text can be no event's name. */
const char *event_name_fault(struct slice name);

#endif

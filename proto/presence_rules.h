/*
 * Presence: what is told, and to whom, when the first session of a user appears in a
 * namespace and when the last one has been gone for a while: the `presence` table of a
 * configuration. Pure, and constant once compiled.
 */
#ifndef PROTO_PRESENCE_RULES_H
#define PROTO_PRESENCE_RULES_H

#include "proto/template.h"

struct presence_rules;

/* Borrows `node`, the `presence` map, or NULL for nothing. Gives rules
 * (presence_rules_destroy), or NULL after at least one fault was added. */
struct presence_rules *presence_rules_compile(const struct document_node *node,
                                              struct faults *faults);
void presence_rules_destroy(struct presence_rules *rules);

/* Whether anything asks who is there: an event, or last_seen. */
bool presence_rules_are_on(const struct presence_rules *rules);
bool presence_rules_keep_last_seen(const struct presence_rules *rules);
/* How long a user is away before that is told. */
uint64_t presence_rules_grace_ms(const struct presence_rules *rules);

/* The event of one of the two moments. */
struct presence_event {
    const char *name;               /* NULL: nothing is told */
    const char *name_json;          /* with its quotes */
    const struct template *payload; /* one value */
};
/* Lent by the rules. */
struct presence_event presence_rules_event(const struct presence_rules *rules,
                                           bool is_online);

/* Calls `visit` with the name of each room that it goes to, as template_rooms; "*" is
 * everybody in the namespace. */
enum status presence_rules_rooms(const struct presence_rules *rules,
                                 const struct template_values *values,
                                 struct buf *scratch, template_room_fn *visit, void *ctx,
                                 struct template_failure *failure);

#endif

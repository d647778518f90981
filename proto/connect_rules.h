/*
 * What happens when a client has connected: the `connect` table of a configuration. It is
 * put into rooms (`auto_join`) and greeted (`emit`). Pure, and constant once compiled.
 */
#ifndef PROTO_CONNECT_RULES_H
#define PROTO_CONNECT_RULES_H

#include "proto/emission.h"

struct connect_rules;

/* Borrows `node`, the `connect` map, or NULL for nothing. Gives rules
 * (connect_rules_destroy), or NULL after at least one fault was added. */
struct connect_rules *connect_rules_compile(const struct document_node *node,
                                            struct faults *faults);
void connect_rules_destroy(struct connect_rules *rules);

/* The sources that any of its templates draws from. */
unsigned connect_rules_uses(const struct connect_rules *rules);

/* Lent. */
const struct emission_list *connect_rules_emits(const struct connect_rules *rules);

/*
 * Calls `visit` with each room that somebody with these claims is put into, by
 * template_rooms; the name is as a command would spell it ("user:42" is the user's kind).
 */
enum status connect_rules_rooms(const struct connect_rules *rules,
                                const struct template_values *values, struct buf *scratch,
                                template_room_fn *visit, void *ctx,
                                struct template_failure *failure);

#endif

/*
 * Emissions: events that a configuration says to emit to one client at some occasion,
 * `[{event, payload}]`; one map, or an event's name alone, is a list of one. Pure, and
 * constant once compiled.
 */
#ifndef PROTO_EMISSION_H
#define PROTO_EMISSION_H

#include "proto/template.h"

struct emission_list;

/* Borrows `node`, or NULL for none; `what` names it in faults. The bits of `sources` may
 * be drawn from. Gives a list (emission_list_destroy), or NULL after at least one fault
 * was added. */
struct emission_list *emission_list_compile(const struct document_node *node,
                                            const char *what, unsigned sources,
                                            struct faults *faults);
void emission_list_destroy(struct emission_list *list);

size_t emission_count(const struct emission_list *list);
/* The sources that any of them draws from. */
unsigned emission_uses(const struct emission_list *list);
/* The name of the nth one's event, a JSON string with its quotes. Lent by the list. */
struct slice emission_event(const struct emission_list *list, size_t n);

/* Appends the arguments of the nth one: raw JSON, comma-separated; nothing when it has no
 * payload. As template_json. */
enum status emission_args(const struct emission_list *list, size_t n,
                          const struct template_values *values, struct buf *out,
                          struct template_failure *failure);

#endif

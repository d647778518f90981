/*
 * Authentication by an event: a client connects as nobody, and says by an event who it
 * is: `event {name token match{} timeout ok error}`. Pure, and constant once compiled.
 */
#ifndef PROTO_AUTH_EVENT_H
#define PROTO_AUTH_EVENT_H

#include "proto/emission.h"

struct auth_event;

/* Borrows `node`, a map. Gives an event (auth_event_destroy), or NULL after at least one
 * fault was added. */
struct auth_event *auth_event_compile(const struct document_node *node,
                                      struct faults *faults);
void auth_event_destroy(struct auth_event *event);

/* The sources that any of its emissions draws from. */
unsigned auth_event_uses(const struct auth_event *event);

bool auth_event_is(const struct auth_event *event, struct slice name);
/* How long a client may take. */
uint64_t auth_event_timeout_ms(const struct auth_event *event);
/* What a client gets that is welcome, and one that is not; lent. */
const struct emission_list *auth_event_ok(const struct auth_event *event);
const struct emission_list *auth_event_error(const struct auth_event *event);

/* Appends the token. `args`: those of the event. ST_BAD_PAYLOAD: there is none. */
enum status auth_event_token(const struct auth_event *event, struct slice args,
                             struct buf *out);

/* Whether `match` holds, its values compared as texts. False: `*failed` is the claim that
 * does not agree; lent. */
bool auth_event_matches(const struct auth_event *event, struct slice claims,
                        struct slice args, const char **failed);

#endif

/*
 * The event that tells of a user who came or went: from the rules to an envelope. Pure;
 * any one thread.
 */
#ifndef PUBLISHER_API_PRESENCE_EVENT_H
#define PUBLISHER_API_PRESENCE_EVENT_H

#include "proto/envelope.h"
#include "proto/presence_rules.h"
#include "publisher-api/presence_table.h"

/* Zeroed to begin with, reused from event to event; ends with presence_event_finish. */
struct presence_event_maker {
    struct buf user, payload, room, rooms;
    struct envelope_target targets[LIMIT_TARGETS];
};

/* What it is made from; all borrowed. */
struct presence_event_parts {
    const struct presence_rules *rules;
    const struct presence_news *news;
    struct slice id, uuid;
    int64_t now_ms;       /* wall clock */
    int64_t accepted_us;  /* monotonic */
    struct slice *except; /* the user's own sids: others are told */
    size_t except_count;
};

/* Appends the envelope. ST_BAD_PAYLOAD: `failure` says what cannot be rendered. */
enum status presence_event_make(struct presence_event_maker *maker,
                                const struct presence_event_parts *parts, struct buf *out,
                                struct template_failure *failure);
void presence_event_finish(struct presence_event_maker *maker);

#endif

/*
 * What the catalog of events makes of one publish, step by step: its rule, whether the
 * payload keeps its contract, its target when the request names none, and the payload or
 * arguments that clients get. All of it happens once, when the event is accepted;
 * gateways forward the bytes. Pure; any one thread.
 */
#ifndef PROTO_EVENT_PUBLISH_H
#define PROTO_EVENT_PUBLISH_H

#include "proto/event_rules.h"
#include "proto/publish_request.h"

/* Zeroed to begin with, reused from publish to publish; ends with event_publish_finish.
 * Lends to the request what it changes in it, until the next publish. */
struct event_publish {
    const struct event_rule *rule;
    struct contract_report report; /* of a payload that keeps no contract */
    const char *root;              /* what its pointers start from: "/data", "/args" */
    struct buf rooms, shaped;
};

/* Finds the rule; the event goes by its own name from now on. ST_UNKNOWN_EVENT fills
 * `fault`. The request was decoded with `target_is_optional`. */
enum status event_publish_begin(struct event_publish *publish,
                                const struct event_rules *rules,
                                struct publish_request *request,
                                struct publish_fault *fault);

/* What a rendering needs beside the request. */
struct event_moment {
    int64_t now_ms; /* wall clock */
    struct slice request_id;
    struct slice uuid;
};

/*
 * Contract, flags, target. ST_BAD_PAYLOAD with a report when the contract is broken;
 * ST_BAD_TARGET when neither the request nor the rule names a target.
 */
enum status event_publish_check(struct event_publish *publish,
                                struct publish_request *request,
                                const struct event_moment *moment,
                                struct publish_fault *fault);

/* The payload or the arguments that clients get: the last step. ST_BAD_PAYLOAD,
 * ST_TOO_LARGE. */
enum status event_publish_shape(struct event_publish *publish,
                                struct publish_request *request,
                                const struct event_moment *moment,
                                struct publish_fault *fault);

void event_publish_finish(struct event_publish *publish);

#endif

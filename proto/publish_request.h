/*
 * The body of POST /broadcast (= /v1/publish): one JSON object to one envelope. Data
 * stays the caller's bytes. What is wrong is said with a JSON Pointer, in words a backend
 * developer can act on.
 */
#ifndef PROTO_PUBLISH_REQUEST_H
#define PROTO_PUBLISH_REQUEST_H

#include "proto/buf.h"
#include "proto/envelope.h"

/* Decoded names and targets live in `memory`; reuse it from request to request. */
struct publish_request {
    bool target_is_optional;  /* set by the caller: it may follow from the event */
    unsigned given_flags;     /* enum envelope_flag: what the body says something about */
    struct envelope envelope; /* id empty when the body had none; at_ms, accepted_us,
                                 request_id are the caller's */
    struct envelope_room room;
    struct buf memory; /* decoded strings; publish_request_finish */
};

/* The first fault found, for the problem body. */
struct publish_fault {
    char pointer[96]; /* "/rooms/3"; empty: the whole body */
    char detail[200]; /* "unknown field \"roms\"; did you mean \"rooms\"?" */
    char expected[96];
    char hint[160];
};

/*
 * Lends from `body` and from `request`. ST_BAD_REQUEST (not JSON), ST_BAD_PAYLOAD,
 * ST_BAD_TARGET or ST_TOO_LARGE fill `fault`. A request may be decoded into again after
 * publish_request_finish or another decode.
 */
enum status publish_request_decode(struct slice body, struct publish_request *request,
                                   struct publish_fault *fault);
void publish_request_finish(struct publish_request *request);

bool event_id_is_valid(struct slice id); /* [A-Za-z0-9._:-]{1,64} */

#endif

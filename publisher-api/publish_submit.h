/*
 * A publish from the bytes of its body to the engine: decode, find its event in the
 * catalog, see whether its caller may, shape it, hand it on. The one way in, for
 * POST /v1/publish and for the routes of a configuration. Loop thread only.
 */
#ifndef PUBLISHER_API_PUBLISH_SUBMIT_H
#define PUBLISHER_API_PUBLISH_SUBMIT_H

#include "publisher-api/handlers.h"

/* One request whose sender is known. All borrowed. */
struct publish_job {
    struct http_exchange *exchange;
    const struct http_request *request; /* its head may bring an id */
    const struct caller *caller;
    struct slice body;            /* as POST /v1/publish takes it */
    struct slice id_owner;        /* the user who gives an id; empty: a backend */
    struct slice identity;        /* what a repeated id is compared by */
    struct publish_teller teller; /* of the answer; zeroed: told as usual */
    bool counts_users;            /* the answer tells users that are online */
};

/* The exchange is answered now or later. */
void publish_submit(struct handler_parts *parts, const struct publish_job *job);

#endif

/*
 * The catalog of events at work: from a decoded request to what is published. Without a
 * catalog each step says ST_OK and changes nothing, but that an alias of a namespace
 * becomes the namespace. Loop thread only.
 */
#ifndef PUBLISHER_API_CATALOG_H
#define PUBLISHER_API_CATALOG_H

#include "proto/event_publish.h"
#include "proto/ident.h"
#include "publisher-api/caller.h"

/* Zeroed: none. Ends with catalog_finish. */
struct catalog {
    struct system *system;            /* shared */
    const struct event_rules *events; /* NULL: nothing is said about events */
    struct event_publish shape;       /* of the publish that is being worked on */
    struct event_moment moment;       /* and what it draws from beside its body */
    char uuid[IDENT_UUID_BYTES + 1];
};

/* Shares `system` (NULL: none) and lets go of the one before. */
void catalog_use(struct catalog *catalog, struct system *system);
void catalog_finish(struct catalog *catalog);

/*
 * Contract, flags and target of a decoded request, whose target was optional if there is
 * a catalog. ST_FORBIDDEN: the caller may not publish this event. Otherwise `fault` is
 * filled, and shape.report when the contract is broken.
 */
enum status catalog_apply(struct catalog *catalog, struct publish_request *request,
                          const struct caller *caller, struct slice request_id,
                          struct publish_fault *fault);

/* What clients get: after everything else was found good. Fills `fault`. */
enum status catalog_shape(struct catalog *catalog, struct publish_request *request,
                          struct publish_fault *fault);

/* The rule of the publish that is being worked on; NULL: no catalog. */
const struct event_rule *catalog_rule(const struct catalog *catalog);

#endif

/*
 * From a request as a system writes it to a request to publish: a route's templates,
 * filled in, as the body that POST /v1/publish takes. All that holds for such a body then
 * holds for it, and what is wrong with it is told as it stands in the body that came.
 * Pure; any one thread.
 */
#ifndef PROTO_ROUTE_MAPPING_H
#define PROTO_ROUTE_MAPPING_H

#include "proto/publish_request.h"
#include "proto/route_rules.h"

/*
 * Appends the body. `values` has what rule->uses names; its JSON texts have passed the
 * gate. ST_BAD_PAYLOAD and ST_BAD_TARGET (a value is missing, or fits nowhere) fill
 * `fault`; also ST_TOO_LARGE and ST_NO_MEMORY.
 */
enum status route_map(const struct route_rule *rule, const struct template_values *values,
                      struct buf *out, struct publish_fault *fault);

/* Writes where the part of a publish at `made` ("/data/title") stands in the body that it
 * was made of; "", all of it, when it is made of several parts or of none. */
void route_pointer(const struct route_rule *rule, const char *made, char *out,
                   size_t size);

#endif

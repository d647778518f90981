/*
 * The publisher's own figures and the sum of what the gateways reported. Loop thread.
 */
#ifndef PUBLISHER_API_FIGURES_H
#define PUBLISHER_API_FIGURES_H

#include "publisher-api/handlers.h"

enum {
    FIGURES_BYTES = 256 * 1024
};

enum figures_for {
    FIGURES_FOR_STATS,  /* GET /v1/stats */
    FIGURES_FOR_ROUTES, /* what routes answer from: some more */
};

/* Appends one JSON object; check buf_status. */
void figures_add(struct buf *out, const struct handler_parts *parts,
                 enum figures_for whom);

#endif

/*
 * Compressed answers: which coding a client takes (RFC 9110 §12.5.3), and zlib for it.
 * The compressors are made when they are first needed and serve all clients. Loop thread.
 */
#ifndef CLIENT_GW_GZIP_H
#define CLIENT_GW_GZIP_H

#include "proto/buf.h"

struct gzip;

enum gzip_coding {
    GZIP_NONE, /* as it is */
    GZIP_GZIP,
    GZIP_DEFLATE, /* RFC 1950, as browsers read it */
    GZIP_CODINGS
};

/* The one a client prefers, from its Accept-Encoding; gzip where it does not care. What
 * it gives a weight of 0 it does not get. */
enum gzip_coding gzip_choose(struct slice accept_encoding);
/* "gzip" */
const char *gzip_coding_name(enum gzip_coding coding);

/* Gives a maker of such answers (gzip_destroy), or NULL. */
struct gzip *gzip_create(void);
void gzip_destroy(struct gzip *gzip);

/* Appends `bytes` in `coding`, which is not GZIP_NONE. False: no memory or no room, and
 * what `out` holds is good for nothing. */
bool gzip_compress(struct gzip *gzip, enum gzip_coding coding, struct slice bytes,
                   struct buf *out);

#endif

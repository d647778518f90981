/*
 * The files of the demo page: those of cli/demo/ and the Socket.IO client, put into the
 * program when it is built. Constant; any thread.
 */
#ifndef CLI_DEMO_ASSETS_H
#define CLI_DEMO_ASSETS_H

#include <stddef.h>

struct asset {
    const char *path;         /* "app.js"; the page asks for /demo/app.js */
    const char *content_type; /* with its charset */
    const unsigned char *bytes;
    size_t len;
};

/* Ends with a row whose path is NULL, which `demo_asset_count` does not count. */
extern const struct asset demo_assets[];
extern const size_t demo_asset_count;

#endif

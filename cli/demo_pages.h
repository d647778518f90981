/*
 * The pages of the demo, on the gateway's listener: the page with its files, the
 * throw-away credentials that it needs, an event's hop times, and a way to send one.
 * Loop thread.
 */
#ifndef CLI_DEMO_PAGES_H
#define CLI_DEMO_PAGES_H

#include "bridge/http_server.h"
#include "bridge/token.h"

struct demo_pages;
struct trace_log;

/* Everything is kept until demo_pages_destroy. */
struct demo_pages_config {
    uv_loop_t *loop;
    const char *publisher; /* "127.0.0.1:7411" */
    const char *key;       /* of the publisher's API */
    const struct token_keys *keys;
    const struct trace_log *traces;
};

/* NULL: out of memory, or `publisher` is no literal address. */
struct demo_pages *demo_pages_create(const struct demo_pages_config *config);

/* Lends the routes until demo_pages_destroy. */
const struct http_route *demo_pages_routes(const struct demo_pages *pages, size_t *count);
void demo_pages_destroy(struct demo_pages *pages);

#endif

/*
 * An HTTP client: fetches small documents from other servers while the loop goes on. The
 * one home of libcurl. Certificates are checked; redirects and the proxies of the
 * environment are not followed. Loop thread only.
 */
#ifndef BRIDGE_HTTP_CLIENT_H
#define BRIDGE_HTTP_CLIENT_H

#include "proto/slice.h"
#include "proto/status.h"

#include <uv.h>

struct http_client;

/* Gives a client (http_client_destroy), or NULL. */
struct http_client *http_client_create(uv_loop_t *loop);
/* Ends what is under way without a word; memory goes when the loop has run it out. */
void http_client_destroy(struct http_client *client);

/* https, or http to this machine by its loopback address. False: `*reason` says what the
 * url lacks, to stand after the name of a setting. */
bool http_client_may_fetch(const char *url, const char **reason);

struct http_fetch {
    const char *url;
    const char *etag; /* of what is there already; empty or NULL: nothing is */
    size_t max_bytes;
    unsigned timeout_ms; /* for all of it */
};

/* Lent for the call. */
struct http_fetched {
    unsigned status;    /* 200, 304, …; 0: no whole answer came */
    struct slice body;  /* of a 200 */
    const char *etag;   /* empty: none */
    const char *reason; /* why nothing came */
};
typedef void http_fetched_fn(void *ctx, const struct http_fetched *fetched);

/* Copies what it borrows. ST_OK: on_fetched runs once, later, unless the client is
 * destroyed. ST_BAD_REQUEST: http_client_may_fetch says no. */
enum status http_client_get(struct http_client *client, const struct http_fetch *fetch,
                            http_fetched_fn *on_fetched, void *ctx);
/* The same, but waits for it: before a loop runs. */
enum status http_client_get_now(const struct http_fetch *fetch,
                                http_fetched_fn *on_fetched, void *ctx);

#endif

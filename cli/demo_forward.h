/*
 * The demo's own small backend: it takes an event from the page and posts it to the
 * publisher with the key, as a backend does. Loop thread.
 */
#ifndef CLI_DEMO_FORWARD_H
#define CLI_DEMO_FORWARD_H

#include "bridge/http_server.h"
#include "cli/dial.h"

/* Where to and with what. Borrowed until every exchange is answered. */
struct demo_publisher {
    struct dial_address address;
    struct sockaddr_storage socket_address;
    const char *key;
};

/* Borrows `url`, keeps `key`. False: `url` is no http:// with a literal IP address. */
bool demo_publisher_init(struct demo_publisher *publisher, const char *url,
                         const char *key);

/* Borrows `body`; answers `exchange` as the publisher did, or 503. */
void demo_forward(uv_loop_t *loop, const struct demo_publisher *publisher,
                  struct http_exchange *exchange, struct slice body);

#endif

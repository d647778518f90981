/*
 * The answering half of a replay: a request for events of some rooms, or of all, against
 * the log gives a page in bytes (proto/bus_wire.h). Knows no sockets. The replay's
 * answering thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_PAGES_H
#define BRIDGE_ENGINE_NNG_PAGES_H

#include "bridge/event_log.h"
#include "proto/bus_wire.h"

struct page_server;

/* Gives one (page_server_destroy), or NULL. Keeps `log`. */
struct page_server *page_server_create(struct event_log *log);
/* Accepts NULL. */
void page_server_destroy(struct page_server *server);

/* ST_OK lends the answer until the next call. Else it deserves none. */
enum status page_server_answer(struct page_server *server, struct slice bytes,
                               struct slice *answer);

#endif

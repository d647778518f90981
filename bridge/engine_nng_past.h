/*
 * The answering half of catch-up by time: what the log chooses of a few rooms' past
 * (bridge/room_past.h). The replay's answering thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_PAST_H
#define BRIDGE_ENGINE_NNG_PAST_H

#include "bridge/event_log.h"
#include "proto/past_wire.h"

struct past_server;

/* Gives one for the life of the process, or NULL. Keeps `log`. */
struct past_server *past_server_create(struct event_log *log);
/* Accepts NULL. */
void past_server_destroy(struct past_server *server);

/* ST_OK lends the answer until the next call. ST_BAD_PACKET: this is no such request. */
enum status past_server_answer(struct past_server *server, struct slice request,
                               struct slice *answer);

#endif

/*
 * The answers of /livez and /readyz, the same on every listener of both processes:
 * constant texts, safe to show to anybody. Loop thread.
 */
#ifndef BRIDGE_HEALTH_H
#define BRIDGE_HEALTH_H

#include "bridge/http_server.h"

/* 200 `ok`: the loop turns. */
void health_answer_live(struct http_exchange *exchange);
/* 200 `ready`, or 503 `not ready`. */
void health_answer_ready(struct http_exchange *exchange, bool is_ready);

#endif

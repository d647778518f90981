/*
 * The id under which a request stands in answers and log lines: X-Request-Id of the
 * caller when it is well-formed, else made here. Any thread.
 */
#ifndef BRIDGE_REQUEST_ID_H
#define BRIDGE_REQUEST_ID_H

#include "bridge/random.h"
#include "proto/http_gate.h"

enum {
    REQUEST_ID_SIZE = LIMIT_REQUEST_ID_BYTES + 1,
};

/* `head` NULL: nothing of the request is known. */
void request_id_choose(const struct http_head *head, char out[REQUEST_ID_SIZE]);
/* The same, made from what is in stock. */
void request_id_draw(struct random_stock *stock, const struct http_head *head,
                     char out[REQUEST_ID_SIZE]);

#endif

/*
 * An idempotency key as the durable log keeps it beside its event: what a repeated id is
 * compared by, and what was answered. Pure.
 */
#ifndef PROTO_LOG_KEY_H
#define PROTO_LOG_KEY_H

#include "proto/buf.h"
#include "proto/position.h"

enum {
    LOG_KEY_ID_BYTES = 16,   /* of a digest of the id */
    LOG_KEY_BODY_BYTES = 16, /* of a digest of the body */
};

struct log_key {
    unsigned char id[LOG_KEY_ID_BYTES];
    unsigned char body[LOG_KEY_BODY_BYTES];
    uint32_t recipients;
    bool has_recipients;
    bool complete;
};

/* Without the id, which is the row's name. */
void log_key_encode(const struct log_key *key, const struct position *position,
                    struct buf *out);
enum status log_key_decode(struct slice id, struct slice bytes, struct log_key *key,
                           struct position *position);

#endif

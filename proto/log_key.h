/*
 * An idempotency key as the durable log keeps it beside its event: what a repeated id is
 * compared by, and what was answered. The keys of one commit stand one after the other.
 * Pure.
 */
#ifndef PROTO_LOG_KEY_H
#define PROTO_LOG_KEY_H

#include "proto/buf.h"
#include "proto/position.h"

enum {
    LOG_KEY_ID_BYTES = 16,   /* of a digest of the id */
    LOG_KEY_BODY_BYTES = 16, /* of a digest of the body */
    LOG_KEY_BYTES = LOG_KEY_ID_BYTES + LOG_KEY_BODY_BYTES + 21, /* encoded */
};

struct log_key {
    unsigned char id[LOG_KEY_ID_BYTES];
    unsigned char body[LOG_KEY_BODY_BYTES];
    uint32_t recipients;
    bool has_recipients;
    bool complete;
};

void log_key_encode(const struct log_key *key, const struct position *position,
                    struct buf *out);
/* Takes the next one from `rest`. ST_BAD_PACKET: there is none. */
enum status log_key_decode(struct slice *rest, struct log_key *key,
                           struct position *position);

#endif

/*
 * Seals of the bus on tcp: 16 bytes of HMAC-SHA256 behind each message, by a secret that
 * both ends know. A request has a nonce besides, and its answer is sealed over the
 * request's seal, so that no answer fits another question. A frame that is sent again by
 * a stranger is one that the sequence check knows, a request one that the directory has
 * counted: they change nothing, but as long as they are sent, who is gone (the bus, a
 * gateway) may seem to be there. One seal belongs to one link, and to the one thread that
 * uses it.
 */
#ifndef BRIDGE_ENGINE_NNG_SEAL_H
#define BRIDGE_ENGINE_NNG_SEAL_H

#include "proto/slice.h"

#include <stdbool.h>

enum {
    SEAL_TAG_BYTES = 16,
    SEAL_NONCE_BYTES = 8,
    SEAL_MAX_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES,
    SEAL_SECRET_MIN_BYTES = 32,
};

enum seal_side {
    SEAL_TELLS, /* events, both ends: whoever sends is believed or not, nobody answers */
    SEAL_ASKS,
    SEAL_ANSWERS,
};

struct seal;

/* Gives a seal for the life of the process, or NULL. `number` tells links of one secret
 * apart. Copies the secret. */
struct seal *seal_create(struct slice secret, unsigned number, enum seal_side side);
/* For tests. */
void seal_destroy(struct seal *seal);

/* What is to follow `bytes`; gives its length. */
size_t seal_make(struct seal *seal, struct slice bytes,
                 unsigned char out[SEAL_MAX_BYTES]);

/* Whether the message is one of ours; then its seal is cut off. */
bool seal_open(struct seal *seal, struct slice *message);

/* How many messages were not. Any thread. */
unsigned seal_refused(const struct seal *seal);

#endif

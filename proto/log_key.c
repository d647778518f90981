/* The id's digest, u8 flags, u32 recipients, u64 epoch, u64 seq, the body's digest: see
 * the header. */
#include "proto/log_key.h"

#include "proto/byte_io.h"

#include <string.h>

enum {
    HAS_RECIPIENTS = 1,
    COMPLETE = 2,
};

void log_key_encode(const struct log_key *key, const struct position *position,
                    struct buf *out)
{
    buf_add(out, (struct slice){(const char *)key->id, sizeof key->id});
    byte_put_u8(out, (key->has_recipients ? HAS_RECIPIENTS : 0u) |
                         (key->complete ? COMPLETE : 0u));
    byte_put_u32(out, key->recipients);
    byte_put_u64(out, position->epoch);
    byte_put_u64(out, position->seq);
    buf_add(out, (struct slice){(const char *)key->body, sizeof key->body});
}

enum status log_key_decode(struct slice *rest, struct log_key *key,
                           struct position *position)
{
    if (rest->len < LOG_KEY_BYTES)
        return ST_BAD_PACKET;
    struct byte_reader in = {.rest = *rest};
    *key = (struct log_key){0};
    memcpy(key->id, byte_get_bytes(&in, sizeof key->id).ptr, sizeof key->id);
    unsigned flags = byte_get_u8(&in);
    key->has_recipients = flags & HAS_RECIPIENTS;
    key->complete = flags & COMPLETE;
    key->recipients = byte_get_u32(&in);
    position->epoch = byte_get_u64(&in);
    position->seq = byte_get_u64(&in);
    memcpy(key->body, byte_get_bytes(&in, sizeof key->body).ptr, sizeof key->body);
    if (flags > (HAS_RECIPIENTS | COMPLETE) || position->epoch == 0)
        return ST_BAD_PACKET;
    *rest = in.rest;
    return ST_OK;
}

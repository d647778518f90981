/* The key, three seqs, u32 count, then hash and seq of each room: see the header. */
#include "proto/log_marks.h"

#include "proto/byte_io.h"

enum {
    MARK_BYTES = 16,
};

void log_marks_encode(const struct log_marks *marks, struct buf *out)
{
    byte_put_u64(out, marks->key.k0);
    byte_put_u64(out, marks->key.k1);
    byte_put_u64(out, marks->through);
    byte_put_u64(out, marks->floor);
    byte_put_u64(out, marks->folded);
    byte_put_u32(out, marks->count);
}

void log_mark_add(struct buf *out, uint64_t hash, uint64_t seq)
{
    byte_put_u64(out, hash);
    byte_put_u64(out, seq);
}

enum status log_marks_decode(struct slice bytes, struct log_marks *marks)
{
    struct byte_reader in = {.rest = bytes};

    marks->key.k0 = byte_get_u64(&in);
    marks->key.k1 = byte_get_u64(&in);
    marks->through = byte_get_u64(&in);
    marks->floor = byte_get_u64(&in);
    marks->folded = byte_get_u64(&in);
    marks->count = byte_get_u32(&in);
    marks->rest = in.rest;
    if (in.is_short || in.rest.len % MARK_BYTES != 0 ||
        in.rest.len / MARK_BYTES != marks->count)
        return ST_BAD_PACKET;
    if (marks->floor > marks->through || marks->folded > marks->through)
        return ST_BAD_PACKET;
    return ST_OK;
}

bool log_marks_next(struct log_marks *marks, uint64_t *hash, uint64_t *seq)
{
    struct byte_reader in = {.rest = marks->rest};

    if (marks->rest.len < MARK_BYTES)
        return false;
    *hash = byte_get_u64(&in);
    *seq = byte_get_u64(&in);
    marks->rest = in.rest;
    return true;
}
